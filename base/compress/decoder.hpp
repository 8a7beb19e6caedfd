// Decoder: a compressed stream, unpacked piece by piece in bounded memory.
//
//   auto decoder = Decoder::create(Compression::Zstd);
//   while (…) if (auto fed = (*decoder)->feed(piece, sink); !fed) …
//   if (auto ended = (*decoder)->finish(); !ended) …   // a stream that was cut is an error
//
// Hostile input: windows above 128 MiB are refused, so that a small file cannot ask
// for gigabytes; how much comes out is the sink's business. Several zstd frames, gzip
// members or xz streams one after the other are one stream, as the command line tools
// have it. Errors: Corrupt, Internal (out of memory), and those of the sink.
// Thread rule: one thread at a time per object.
#pragma once

#include <cstdint>
#include <functional>
#include <memory>
#include <span>
#include <string_view>

#include "core/result.hpp"

namespace nimbus::base {

enum class Compression : std::uint8_t { None, Zstd, Gzip, Xz };

/// By the first bytes of a stream (at least 6 of them, or all there are): raw disk
/// images begin with a boot sector or zeros, never with one of these marks.
Compression detect_compression(std::span<const std::uint8_t> head) noexcept;

class Decoder {
 public:
  using Sink = std::function<Result<>(std::span<const std::uint8_t>)>;
  static Result<std::unique_ptr<Decoder>> create(Compression compression);
  virtual ~Decoder() = default;
  /// Hands what `input` unpacks to to `sink`, in pieces of at most 1 MiB.
  virtual Result<> feed(std::span<const std::uint8_t> input, const Sink& sink) = 0;
  /// After the last piece. Corrupt: the stream has no end.
  virtual Result<> finish() = 0;
};

}  // namespace nimbus::base
