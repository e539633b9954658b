#include "ring/mapping.h"

#include <fmt/format.h>
#include <sys/mman.h>
#include <unistd.h>

#include <bit>
#include <cerrno>
#include <cstring>

namespace tickbridge::ring {

namespace {

Error failure(const char* call, std::size_t bytes) {
  return error(ExitCode::kInternal,
               fmt::format("ring of {} bytes: {} failed: {}; lower pipeline.ring_bytes or free memory", bytes, call,
                           std::strerror(errno)));
}

/// Maps the file twice in a row over a reservation of twice its size. Its pages are taken now: the first walk through a
/// ring would cost a page fault for each, at the opening bell perhaps.
std::byte* map_twice(int file, std::size_t size) {
  void* const reserved = ::mmap(nullptr, 2 * size, PROT_NONE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
  if (reserved == MAP_FAILED) return nullptr;
  auto* const base = static_cast<std::byte*>(reserved);
  for (std::byte* half : {base, base + size}) {
    const int populate = half == base ? MAP_POPULATE : 0;  // the other half would count once more as resident
    if (::mmap(half, size, PROT_READ | PROT_WRITE, MAP_SHARED | MAP_FIXED | populate, file, 0) == MAP_FAILED) {
      ::munmap(base, 2 * size);
      return nullptr;
    }
  }
  return base;
}

}  // namespace

Result<Mapping> Mapping::create(std::size_t bytes) {
  const auto page = static_cast<std::size_t>(::sysconf(_SC_PAGESIZE));
  const std::size_t size = std::bit_ceil(bytes < page ? page : bytes);
  const int file = ::memfd_create("tickbridge-ring", MFD_CLOEXEC);
  if (file < 0) return failure("memfd_create", size);
  if (::ftruncate(file, static_cast<off_t>(size)) != 0) {
    const Error problem = failure("ftruncate", size);
    ::close(file);
    return problem;
  }
  std::byte* const base = map_twice(file, size);
  const Error problem = base == nullptr ? failure("mmap", size) : Error{};
  ::close(file);
  if (base == nullptr) return problem;
  return Mapping{base, size};
}

Mapping::~Mapping() {
  if (base_ != nullptr) ::munmap(base_, 2 * size_);
}

}  // namespace tickbridge::ring
