#pragma once

/// The version of tickbridge that these headers belong to.
#define TICKBRIDGE_VERSION_MAJOR 0
#define TICKBRIDGE_VERSION_MINOR 1
#define TICKBRIDGE_VERSION_PATCH 0
#define TICKBRIDGE_VERSION "0.1.0"
