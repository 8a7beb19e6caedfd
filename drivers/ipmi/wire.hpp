// Reading and writing the little-endian fields of IPMI packets. A read beyond
// the end gives zeros and clears ok(), so a parser checks once, at its end.
#pragma once

#include <algorithm>
#include <array>
#include <cstddef>
#include <cstdint>
#include <cstring>
#include <span>
#include <vector>

namespace nimbus::ipmi {

using Bytes = std::span<const std::uint8_t>;
using Packet = std::vector<std::uint8_t>;

/// Overwrites bytes that may hold a secret.
inline void wipe(std::vector<std::uint8_t>& bytes) noexcept {
  if (!bytes.empty()) explicit_bzero(bytes.data(), bytes.size());
}

class Writer {
 public:
  explicit Writer(Packet& out) : out_(out) {}
  void u8(unsigned value) { out_.push_back(static_cast<std::uint8_t>(value)); }
  void u16(unsigned value) {
    u8(value & 0xFFU);
    u8((value >> 8U) & 0xFFU);
  }
  void u32(std::uint32_t value) {
    u16(value & 0xFFFFU);
    u16(value >> 16U);
  }
  void bytes(Bytes data) { out_.insert(out_.end(), data.begin(), data.end()); }
  void fill(std::size_t count, std::uint8_t value) { out_.insert(out_.end(), count, value); }

 private:
  Packet& out_;
};

class Reader {
 public:
  explicit Reader(Bytes data) : data_(data) {}
  bool ok() const noexcept { return ok_; }
  std::size_t left() const noexcept { return data_.size(); }
  Bytes bytes(std::size_t count) noexcept {
    if (count > data_.size()) {
      ok_ = false;
      data_ = {};
      return {};
    }
    const auto out = data_.first(count);
    data_ = data_.subspan(count);
    return out;
  }
  Bytes rest() noexcept { return bytes(data_.size()); }
  std::uint8_t u8() noexcept {
    const auto one = bytes(1);
    return one.empty() ? std::uint8_t{0} : one[0];
  }
  std::uint16_t u16() noexcept {
    const unsigned low = u8();
    return static_cast<std::uint16_t>(low | (static_cast<unsigned>(u8()) << 8U));
  }
  std::uint32_t u32() noexcept {
    const std::uint32_t low = u16();
    return low | (static_cast<std::uint32_t>(u16()) << 16U);
  }
  /// Fills `out` completely, or with zeros.
  template <std::size_t N>
  void copy(std::array<std::uint8_t, N>& out) noexcept {
    out.fill(0);
    const auto from = bytes(N);
    std::copy(from.begin(), from.end(), out.begin());
  }

 private:
  Bytes data_;
  bool ok_ = true;
};

}  // namespace nimbus::ipmi
