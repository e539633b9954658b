#pragma once

#include <string>

#include "sink/handles.h"

namespace tickbridge::sink {

/// Has the client note why it does not take a broker's certificate, which its errors do not say. What is taken and what
/// is not stays OpenSSL's own judgement.
void note_certificates(rd_kafka_conf_t* conf);

/// OpenSSL's code (X509_V_ERR_…) of the last certificate that a client of this process did not take; 0: none yet. Any
/// thread.
[[nodiscard]] int last_certificate_fault() noexcept;
/// What such a code means and what to do, one sentence without a full stop; "" for others.
[[nodiscard]] std::string certificate_advice(int fault);

}  // namespace tickbridge::sink
