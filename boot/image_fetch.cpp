#include "boot/image_fetch.hpp"

#include <optional>

#include "base/text/text.hpp"
#include "boot/image_file.hpp"

namespace nimbus::boot {
namespace {

class Fetch {
 public:
  Fetch(ImageFile file, const ImageOrder& order, const FetchTools& tools)
      : file_(std::move(file)), order_(order), tools_(tools) {}

  Result<> go() {
    Error last{Code::Invalid, "the image has no source"};
    std::string said;
    for (const auto& url : order_.urls) {
      auto done = from(url);
      if (done || local_ || done.error().code == Code::Cancelled) return done;
      last = std::move(done.error());
      said += (said.empty() ? "" : "; ") + base::printable(url, 200) + ": " + last.text();
    }
    return Error{last.code, said};
  }

 private:
  /// From one source. What came from elsewhere is not held against it: if all of it turns
  /// out to be wrong, it is asked once more for the whole.
  Result<> from(const std::string& url) {
    const auto source = tools_.source(url);
    bool mixed = file_.size() > 0;
    int failures = 0;
    while (true) {
      const std::int64_t before = file_.size();
      auto read = source->read(before, [this](std::span<const std::uint8_t> bytes) { return take(bytes); });
      if (!read && (local_ || read.error().code == Code::Cancelled)) return read;
      if (!read && is_transient(read.error().code) && !too_long_) {
        failures = file_.size() > before ? 1 : failures + 1;
        if (failures >= tools_.most_failures) return read;
        tools_.pause(failures);
        continue;
      }
      const bool about_bytes = read || read.error().code == Code::Invalid || read.error().code == Code::Corrupt;
      if (!about_bytes) return read;
      // All of it, or as good as: a range behind the end is refused as well.
      auto right = file_.size() > 0 && !too_long_ ? place_if_right() : Result<>(Error{Code::Corrupt, "it is empty"});
      if (right || local_) return right;
      if (auto begun = begin_anew(); !begun) return begun;
      if (mixed) {
        mixed = false;
        continue;
      }
      return read ? right : read;
    }
  }

  Result<> take(std::span<const std::uint8_t> bytes) {
    const std::int64_t next = file_.size() + static_cast<std::int64_t>(bytes.size());
    if (next > order_.most_bytes) {
      too_long_ = true;
      return Error{Code::Corrupt, "it has more than " + std::to_string(order_.most_bytes) + " bytes"};
    }
    auto done = tools_.room(next);
    if (done) done = file_.append(bytes);
    local_ = !done;
    return done;
  }

  Result<> place_if_right() {
    const std::string digest = file_.digest();
    if (digest != order_.sha256)
      return Error{Code::Corrupt, "the file's SHA-256 is " + digest + ", not " + order_.sha256};
    auto placed = file_.place();
    local_ = !placed;
    return placed;
  }

  Result<> begin_anew() {
    too_long_ = false;
    auto begun = file_.begin_anew();
    if (begun) begun = tools_.room(0);
    local_ = !begun;
    return begun;
  }

  ImageFile file_;
  const ImageOrder& order_;
  const FetchTools& tools_;
  bool too_long_ = false;
  bool local_ = false;  // the error is of our disk or its limits: no other source cures it
};

}  // namespace

Result<> fetch_image(const std::string& path, const ImageOrder& order, const FetchTools& tools) {
  auto file = ImageFile::open(path);
  if (!file) return std::move(file.error());
  return Fetch(std::move(*file), order, tools).go();
}

}  // namespace nimbus::boot
