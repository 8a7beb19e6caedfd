// Fetches one image into a file: from its sources, one after the other, going on where a
// stream was cut, and at its place only with the right digest.
//
// Thread rule: one thread.
#pragma once

#include <cstdint>
#include <functional>
#include <memory>
#include <string>

#include "base/plain_http/client.hpp"
#include "boot/protocol/image.hpp"
#include "core/result.hpp"

namespace nimbus::boot {

struct FetchTools {
  std::function<std::unique_ptr<base::ByteSource>(const std::string& url)> source;
  /// Before the file gets to so many bytes; an error ends the attempt. Called with 0 when
  /// it begins anew.
  std::function<Result<>(std::int64_t bytes)> room;
  std::function<void(int failure)> pause;  // before asking again
  int most_failures = 4;                   // of one source, in a row without a byte of progress
};

/// On success `path` is the image. Errors: of the last source, with what each one said;
/// those of `room` and of the disk at once; Cancelled.
Result<> fetch_image(const std::string& path, const ImageOrder& order, const FetchTools& tools);

}  // namespace nimbus::boot
