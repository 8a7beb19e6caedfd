#include "boot/protocol/image.hpp"

#include "base/json/json.hpp"
#include "boot/protocol/json_read.hpp"

namespace nimbus::boot {
namespace {

using base::Json;
constexpr std::size_t kMostNever = 40'000;  // networks, and every BMC

Json texts(const std::vector<std::string>& items) {
  Json out = Json::array();
  for (const auto& item : items) out.push(item);
  return out;
}

}  // namespace

bool is_image_name(std::string_view text) noexcept {
  return text.size() == 64 && text.find_first_not_of("0123456789abcdef") == std::string_view::npos;
}

std::string to_json(const ImageOrder& order) {
  return Json::object()
      .set("sha256", order.sha256)
      .set("most_bytes", order.most_bytes)
      .set("urls", texts(order.urls))
      .set("sources", texts(order.sources))
      .set("never", texts(order.never))
      .text();
}

Result<ImageOrder> parse_image_order(std::string_view text) {
  auto json = base::parse_json(text, {.bytes = kMostImageOrderBytes, .depth = 4, .values = 50'000});
  if (!json) return std::move(json.error()).with("while reading an order for an image");
  ImageOrder order;
  JsonFields fields(*json);
  fields.text("sha256", order.sha256, 64);
  fields.number("most_bytes", order.most_bytes);
  fields.texts("urls", order.urls, 16);
  fields.texts("sources", order.sources);
  fields.texts("never", order.never, kMostNever);
  if (!is_image_name(order.sha256)) fields.fail("sha256");
  if (order.urls.empty()) fields.fail("urls");
  if (auto read = fields.result(); !read) return std::move(read.error()).with("while reading an order for an image");
  return order;
}

std::string to_json(const ImageAnswer& answer) {
  return Json::object()
      .set("stage", std::string(name_of(answer.stage)))
      .set("url", answer.url)
      .set("done_bytes", answer.done_bytes)
      .set("message", answer.message)
      .text();
}

Result<ImageAnswer> parse_image_answer(std::string_view text) {
  auto json = base::parse_json(text, {.bytes = std::size_t{64} << 10U, .depth = 4, .values = 100});
  if (!json) return std::move(json.error()).with("while reading the answer about an image");
  ImageAnswer answer;
  JsonFields fields(*json);
  fields.choice("stage", answer.stage);
  fields.text("url", answer.url);
  fields.number("done_bytes", answer.done_bytes);
  fields.text("message", answer.message, 16384);
  if (answer.stage == ImageStage::Ready && answer.url.empty()) fields.fail("url");
  if (auto read = fields.result(); !read) return std::move(read.error());
  return answer;
}

}  // namespace nimbus::boot
