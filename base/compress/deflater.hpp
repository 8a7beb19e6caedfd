// Deflater: many small zlib streams (RFC 1950) with the tables set up once, and the
// checksum that goes with them. Fails only when out of memory; then it throws.
// Thread rule: one thread at a time per object.
#pragma once

#include <cstdint>
#include <memory>
#include <string>
#include <string_view>

namespace nimbus::base {

class Deflater {
 public:
  Deflater();
  ~Deflater();
  Deflater(Deflater&&) noexcept;
  Deflater& operator=(Deflater&&) noexcept;
  /// Appends `bytes`, as one stream, to `out`. Fast rather than small.
  void append(std::string_view bytes, std::string& out);

 private:
  struct State;
  std::unique_ptr<State> state_;
};

/// As zlib and Ethernet have it.
std::uint32_t crc32(std::string_view bytes) noexcept;

}  // namespace nimbus::base
