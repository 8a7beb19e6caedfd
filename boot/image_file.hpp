// ImageFile: an image on its way into the cache, beside the place it is for. It takes its
// place when its digest is right and it is on the medium, and not before; what an earlier
// attempt left is gone on with.
//
// Thread rule: one thread. Errors: Internal (the disk).
#pragma once

#include <cstdint>
#include <memory>
#include <span>
#include <string>

#include "base/crypto/crypto.hpp"
#include "base/net/file_descriptor.hpp"
#include "core/result.hpp"

namespace nimbus::boot {

inline constexpr const char* kPartEnding = ".part";

class ImageFile {
 public:
  /// Reads what is there already of `path`.part.
  static Result<ImageFile> open(const std::string& path);

  std::int64_t size() const noexcept { return size_; }
  Result<> append(std::span<const std::uint8_t> bytes);
  /// Nothing of it is good.
  Result<> begin_anew();
  /// Of what is there, in hexadecimal. Once; what comes next is begin_anew() or place().
  std::string digest() { return hash_->hex(); }
  /// Synced, and then at its place.
  Result<> place();

 private:
  ImageFile(std::string path, base::FileDescriptor file) : path_(std::move(path)), file_(std::move(file)) {}

  std::string path_;
  base::FileDescriptor file_;
  std::unique_ptr<base::Sha256> hash_ = std::make_unique<base::Sha256>();
  std::int64_t size_ = 0;
};

/// Of a file of any size, read piece by piece. Errors: NotFound, Internal.
Result<std::string> digest_of_file(const std::string& path);

}  // namespace nimbus::boot
