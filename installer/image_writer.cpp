#include "installer/image_writer.hpp"

#include <algorithm>
#include <cstring>

#include "base/plain_http/client.hpp"
#include "installer/gpt.hpp"

namespace nimbus::installer {
namespace {

constexpr std::string_view kMarkerMagic = "NIMBUS-INSTALLED-1 ";
constexpr std::size_t kMostMarker = 512;
constexpr std::size_t kDetect = 6;

bool all_zero(std::span<const std::uint8_t> bytes) {
  return bytes.empty() || (bytes[0] == 0 && std::memcmp(bytes.data(), bytes.data() + 1, bytes.size() - 1) == 0);
}

}  // namespace

ImageWriter::ImageWriter(Device& device, const Permit& permit, ImageExpectation expectation)
    : device_(device), expectation_(std::move(expectation)) {
  static_cast<void>(permit);  // to have one is what counts
}

Result<> ImageWriter::begin() {
  if (expectation_.bytes < static_cast<std::int64_t>(kHeadBytes)) {
    return Error{Code::Invalid, "the image is smaller than 1 MiB"};
  }
  if (expectation_.bytes > device_.size()) return Error{Code::Invalid, "the image is larger than the disk"};
  const std::vector<std::uint8_t> zeros(kHeadBytes);
  if (auto cleared = device_.write(0, zeros); !cleared) return cleared;
  const std::int64_t end = device_.size() - static_cast<std::int64_t>(kHeadBytes);
  if (auto cleared = device_.write(std::max<std::int64_t>(end, 0), zeros); !cleared) return cleared;
  state_ = State::Streaming;
  return device_.sync();
}

Result<> ImageWriter::feed(std::span<const std::uint8_t> bytes) {
  if (state_ != State::Streaming) return Error{Code::Invalid, "the writer has not begun"};
  stream_bytes_ += static_cast<std::int64_t>(bytes.size());
  hash_.update({reinterpret_cast<const char*>(bytes.data()), bytes.size()});
  const auto sink = [this](std::span<const std::uint8_t> plain) { return take(plain); };
  if (decoder_) return decoder_->feed(bytes, sink);
  first_.insert(first_.end(), bytes.begin(), bytes.end());
  if (first_.size() < kDetect) return {};
  auto decoder = base::Decoder::create(base::detect_compression(first_));
  if (!decoder) return std::move(decoder.error());
  decoder_ = std::move(*decoder);
  return decoder_->feed(first_, sink);
}

Result<> ImageWriter::take(std::span<const std::uint8_t> bytes) {
  if (position_ + static_cast<std::int64_t>(bytes.size()) > expectation_.bytes) {
    return Error{Code::Corrupt,
                 "the image is longer than the " + std::to_string(expectation_.bytes) + " bytes that it should have"};
  }
  if (head_.size() < kHeadBytes) {
    const std::size_t part = std::min(kHeadBytes - head_.size(), bytes.size());
    head_.insert(head_.end(), bytes.begin(), bytes.begin() + static_cast<std::ptrdiff_t>(part));
    bytes = bytes.subspan(part);
    position_ += static_cast<std::int64_t>(part);
  }
  if (bytes.empty()) return {};
  auto written = device_.write(position_, bytes);
  if (written) position_ += static_cast<std::int64_t>(bytes.size());
  return written;
}

Result<> ImageWriter::finish() {
  if (state_ != State::Streaming || !decoder_) return Error{Code::Corrupt, "the image is empty"};
  if (auto ended = decoder_->finish(); !ended) return ended;
  if (const std::string digest = hash_.hex(); digest != expectation_.sha256) {
    return Error{Code::Corrupt, "the image's SHA-256 is " + digest + ", not " + expectation_.sha256};
  }
  if (position_ != expectation_.bytes) {
    return Error{Code::Corrupt,
                 "the image has " + std::to_string(position_) + " bytes, not " + std::to_string(expectation_.bytes)};
  }
  if (auto table = read_gpt(head_)) {
    auto grown = grow_gpt(*table, device_.size());
    if (!grown) return std::move(grown.error()).with("while growing the partition table to the disk");
    std::copy(grown->head.begin(), grown->head.end(), head_.begin());
    tail_ = std::move(grown->tail);
  }
  if (auto synced = device_.sync(); !synced) return synced;
  state_ = State::Finished;
  return {};
}

Result<> ImageWriter::commit(std::string_view marker) {
  if (state_ != State::Finished) return Error{Code::Invalid, "the image is not complete"};
  const auto place = std::span(head_).subspan(kMarkerOffset);
  if (!marker.empty() && marker.size() < kMostMarker && all_zero(place)) {
    const std::string text = std::string(kMarkerMagic).append(marker);
    std::copy(text.begin(), text.end(), place.begin());
  }
  if (!tail_.empty()) {
    const std::int64_t at = device_.size() - static_cast<std::int64_t>(tail_.size());
    if (auto written = device_.write(at, tail_); !written) return written;
    if (auto synced = device_.sync(); !synced) return synced;
  }
  if (auto written = device_.write(0, head_); !written) return written;
  if (auto synced = device_.sync(); !synced) return synced;
  std::vector<std::uint8_t> back(head_.size());
  if (auto read = device_.read(0, back); !read) return read;
  if (back != head_) return Error{Code::Corrupt, "the disk does not show what was written to its first MiB"};
  state_ = State::Committed;
  return {};
}

Result<DiskWitness> read_witness(Device& device) {
  if (device.size() < static_cast<std::int64_t>(kHeadBytes))
    return Error{Code::Invalid, "the disk has less than 1 MiB"};
  std::vector<std::uint8_t> head(kHeadBytes);
  if (auto read = device.read(0, head); !read) return std::move(read.error());
  DiskWitness witness;
  witness.head_blank = all_zero(head);
  const std::string_view place(reinterpret_cast<const char*>(head.data()) + kMarkerOffset, kMostMarker);
  if (place.starts_with(kMarkerMagic)) {
    const std::string_view rest = place.substr(kMarkerMagic.size());
    witness.marker = rest.substr(0, rest.find('\0'));
  }
  return witness;
}

Result<> stream_image(const std::vector<std::unique_ptr<base::ByteSource>>& sources, ImageWriter& writer,
                      const StreamPolicy& policy, const std::function<void()>& progress) {
  if (sources.empty()) return Error{Code::Invalid, "the plan names no source for the image"};
  Error last;
  for (int failures = 0; failures < policy.most_failures;) {
    auto& source = *sources[static_cast<std::size_t>(failures) % sources.size()];
    const std::int64_t before = writer.bytes_read();
    bool ours = false;  // whether the writer refused, which no other source cures
    auto read = source.read(before, [&](std::span<const std::uint8_t> bytes) -> Result<> {
      auto fed = writer.feed(bytes);
      ours = !fed;
      progress();
      return fed;
    });
    if (read || ours) return read;
    last = std::move(read.error());
    failures = writer.bytes_read() > before ? 1 : failures + 1;
    policy.pause(failures);
  }
  return std::move(last).with("while fetching the image; given up after " + std::to_string(policy.most_failures) +
                              " failures without progress");
}

}  // namespace nimbus::installer
