#pragma once

#include "config/config.h"
#include "config/facts.h"

namespace tickbridge::config {

/// A feed's tls_ options: with each other, with `tls`, and their files.
void feed_tls_rules(Facts& facts, const Feed& feed);

/// Who may ask over HTTP, and how: nobody from outside without a word said.
void http_access_rules(Facts& facts);

}  // namespace tickbridge::config
