#pragma once

#include <string>

#include "codec/message_table.h"
#include "pipeline/wire.h"

namespace tickbridge::tests {

/// A valid message of that type: numbers 0, texts "A" padded, codes the first of the table.
inline std::string sample(const codec::MessageType& type, std::uint16_t locate = 1, std::uint64_t time_ns = 1) {
  std::string message = wire::itch_header(type.type, locate, time_ns);
  for (const codec::Field& field : type.fields) {
    switch (field.kind) {
      case codec::Field::Kind::kCode:
        message += field.codes.front();
        break;
      case codec::Field::Kind::kText:
      case codec::Field::Kind::kSymbol:
        message += wire::pad("A", field.size);
        break;
      default:
        message += std::string(field.size, '\0');
    }
  }
  return message;
}

inline std::string sample(char type, std::uint16_t locate = 1, std::uint64_t time_ns = 1) {
  for (const codec::MessageType& row : codec::itch50_types()) {
    if (row.type == type) return sample(row, locate, time_ns);
  }
  return {};
}

inline void put_time(std::string& message, std::uint64_t time_ns) { message.replace(5, 6, wire::be48(time_ns)); }

}  // namespace tickbridge::tests
