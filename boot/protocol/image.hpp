// An image that nimbusd wants nimbus-boot to have in its cache, and how far that is. Asked
// again and again while it is waited for: no message can be lost for good.
//
// Thread rule: plain values and pure functions. Errors: Invalid.
#pragma once

#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

#include "core/choice.hpp"
#include "core/result.hpp"

namespace nimbus::boot {

inline constexpr std::size_t kMostImageOrderBytes = std::size_t{2} << 20U;

struct ImageOrder {
  std::string sha256;           // of the file; its name in the cache
  std::int64_t most_bytes = 0;  // a longer file is not the image
  std::vector<std::string> urls;
  std::vector<std::string> sources;  // beginnings of URLs that a redirect may lead to
  std::vector<std::string> never;    // networks that no image comes from: "10.20.0.0/24"
  friend bool operator==(const ImageOrder&, const ImageOrder&) = default;
};

enum class ImageStage : std::uint8_t { Fetching, Ready, Failed };

struct ImageAnswer {
  ImageStage stage = ImageStage::Fetching;
  std::string url;              // Ready: where machines get it
  std::int64_t done_bytes = 0;  // Fetching
  std::string message;          // why it failed, the last time; it is tried again
  friend bool operator==(const ImageAnswer&, const ImageAnswer&) = default;
};

/// 64 digits of lower-case hexadecimal.
bool is_image_name(std::string_view text) noexcept;

std::string to_json(const ImageOrder& order);
Result<ImageOrder> parse_image_order(std::string_view json);
std::string to_json(const ImageAnswer& answer);
Result<ImageAnswer> parse_image_answer(std::string_view json);

}  // namespace nimbus::boot

template <>
inline constexpr auto nimbus::kChoiceNames<nimbus::boot::ImageStage> = nimbus::choice_names("fetching", "ready",
                                                                                            "failed");
