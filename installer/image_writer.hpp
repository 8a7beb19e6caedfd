// ImageWriter: a compressed image, hashed and unpacked while it goes to the disk.
//
// The commit marker is the first MiB (partition table and boot sector): it is cleared
// before anything else is written, held back while the rest streams in, and written
// last, when length and digest are what the plan says. A machine that loses power at
// any moment in between has a disk that does not boot, and shows that it is not done.
//
//   ImageWriter writer(device, permit, expectation);
//   writer.begin(); writer.feed(…)…; writer.finish();   // all but the head is there
//   … seed the root file system …
//   writer.commit(marker);
//
// Thread rule: one thread.
#pragma once

#include <cstdint>
#include <functional>
#include <memory>
#include <optional>
#include <span>
#include <string>
#include <vector>

#include "base/compress/decoder.hpp"
#include "base/crypto/crypto.hpp"
#include "base/plain_http/client.hpp"
#include "core/result.hpp"
#include "installer/device.hpp"
#include "installer/permit.hpp"

namespace nimbus::installer {

inline constexpr std::size_t kHeadBytes = std::size_t{1} << 20U;
/// The last 4 KiB of the head: behind every GPT, before the first partition. What we
/// installed is noted there, if the image has nothing in that place.
inline constexpr std::size_t kMarkerOffset = kHeadBytes - 4096;

struct ImageExpectation {
  std::string sha256;      // of the stream
  std::int64_t bytes = 0;  // unpacked
};

class ImageWriter {
 public:
  /// `permit` is the leave for `device`, which must outlive this.
  ImageWriter(Device& device, const Permit& permit, ImageExpectation expectation);

  /// Clears the head and the end of the disk (where a second partition table lies).
  Result<> begin();
  /// The next bytes of the stream. Errors: Corrupt (not unpackable, longer than
  /// expected), those of Device.
  Result<> feed(std::span<const std::uint8_t> bytes);
  /// After the last byte: length and digest. Errors: Corrupt; the disk stays without a
  /// head. On success everything but the head is on the medium.
  Result<> finish();
  /// The head as it will be written: grown to the disk by finish(), without marker.
  const std::vector<std::uint8_t>& head() const noexcept { return head_; }
  /// Writes the end (second partition table), then the head with `marker`, and reads it
  /// back. Errors: Invalid (not finished), Corrupt (reads back otherwise), those of Device.
  Result<> commit(std::string_view marker);

  std::int64_t bytes_read() const noexcept { return stream_bytes_; }
  std::int64_t bytes_written() const noexcept { return position_; }

 private:
  Result<> take(std::span<const std::uint8_t> bytes);

  Device& device_;
  ImageExpectation expectation_;
  base::Sha256 hash_;
  std::vector<std::uint8_t> first_;  // of the stream, until its kind can be told
  std::unique_ptr<base::Decoder> decoder_;
  std::vector<std::uint8_t> head_;
  std::vector<std::uint8_t> tail_;  // the second partition table, if the head has one
  std::int64_t position_ = 0;
  std::int64_t stream_bytes_ = 0;
  enum class State { New, Streaming, Finished, Committed } state_ = State::New;
};

/// What the disk says of itself.
Result<DiskWitness> read_witness(Device& device);

struct StreamPolicy {
  int most_failures = 8;  // in a row without a byte of progress
  std::function<void(int failure)> pause = [](int) {};
};

/// Feeds the sources to the writer, one after the other where one fails, going on where
/// it was cut. Errors: those of the writer at once; of the sources when `policy` is used
/// up.
Result<> stream_image(const std::vector<std::unique_ptr<base::ByteSource>>& sources, ImageWriter& writer,
                      const StreamPolicy& policy, const std::function<void()>& progress);

}  // namespace nimbus::installer
