#include "controller/install/boot_client.hpp"

#include <algorithm>
#include <array>
#include <utility>

#include "base/crypto/crypto.hpp"
#include "base/plain_http/client.hpp"
#include "base/text/text.hpp"
#include "drivers/ssh/host_key.hpp"

namespace nimbus::controller {
namespace {

constexpr std::chrono::seconds kAnswer{10};  // it may have to look for other DHCP servers first
constexpr const char* kUrl = "http://nimbus-boot";

Call limited(const Call& call, const Clock& clock, std::chrono::milliseconds most) {
  return {std::min(call.deadline, clock.now() + most), call.stop};
}

}  // namespace

Result<> UnixBootService::serve(const boot::Orders& orders, const Call& call) {
  const std::lock_guard lock(sending_);
  if (acknowledged_) {
    auto sent = send_changes(orders, call);
    if (sent || sent.error().code != Code::Conflict) return sent;
  }
  return send_whole(orders, call);
}

/// Sent even if nothing changed: so it shows if nimbus-boot has others than were told.
Result<> UnixBootService::send_changes(const boot::Orders& orders, const Call& call) {
  auto known = std::exchange(acknowledged_, std::nullopt);
  auto update = boot::changes_between(known->orders, orders);
  update.mark = {known->mark.epoch, known->mark.number + 1};
  if (auto sent = send("POST", update, call); !sent) return sent;
  acknowledged_ = Acknowledged{std::move(update.mark), orders};
  return {};
}

Result<> UnixBootService::send_whole(const boot::Orders& orders, const Call& call) {
  std::array<std::uint8_t, 16> epoch{};
  base::random_bytes(epoch);
  const boot::OrdersUpdate update{.mark = {base::to_hex(epoch), 0}, .orders = orders, .removed = {}};
  if (auto sent = send("PUT", update, call); !sent) return sent;
  acknowledged_ = Acknowledged{update.mark, orders};
  return {};
}

Result<> UnixBootService::send(const char* method, const boot::OrdersUpdate& update, const Call& call) {
  for (const auto& part : boot::parts_of(update)) {
    auto answer = base::http_request({.method = method,
                                      .url = std::string(kUrl) + "/v1/orders",
                                      .body = boot::to_json(part),
                                      .unix_socket = socket_},
                                     limited(call, clock_, kAnswer), clock_);
    if (!answer) return std::move(answer.error()).with("while telling nimbus-boot what to serve");
  }
  return {};
}

void UnixBootService::distrust() {
  const std::lock_guard lock(sending_);
  acknowledged_.reset();
}

Result<std::optional<boot::Heard>> UnixBootService::heard(const std::string& mac, const Call& call) {
  auto answer = base::http_request({.url = std::string(kUrl) + "/v1/heard/" + mac, .unix_socket = socket_},
                                   limited(call, clock_, kAnswer), clock_);
  if (!answer && answer.error().code == Code::NotFound) return std::optional<boot::Heard>{};
  if (!answer) return std::move(answer.error()).with("while asking nimbus-boot what it heard");
  auto heard = boot::parse_heard(*answer);
  if (!heard) return std::move(heard.error());
  return std::optional(std::move(*heard));
}

Result<std::optional<boot::ImageAnswer>> UnixBootService::image(const boot::ImageOrder& order, const Call& call) {
  auto answer = base::http_request(
      {.method = "PUT", .url = std::string(kUrl) + "/v1/images", .body = boot::to_json(order), .unix_socket = socket_},
      limited(call, clock_, kAnswer), clock_);
  if (!answer && answer.error().code == Code::NotFound) return std::optional<boot::ImageAnswer>{};
  if (!answer) return std::move(answer.error()).with("while asking nimbus-boot for an image");
  auto image = boot::parse_image_answer(*answer);
  if (!image) return std::move(image.error());
  return std::optional(std::move(*image));
}

Result<reconcilers::SshAnswer> ask_ssh(const std::string& address, const std::string& host_key, const Call& call,
                                       const Clock& clock) {
  constexpr std::chrono::seconds kMost{5};
  const auto proven = ssh::prove_host_key(address, host_key, limited(call, clock, kMost), clock);
  if (proven) return reconcilers::SshAnswer::ExpectedKey;
  if (proven.error().code == Code::Invalid) return proven.error();
  return proven.error().code == Code::Untrusted ? reconcilers::SshAnswer::OtherKey : reconcilers::SshAnswer::Silent;
}

}  // namespace nimbus::controller
