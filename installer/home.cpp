#include "installer/home.hpp"

#include <algorithm>

#include "base/plain_http/client.hpp"
#include "base/text/text.hpp"
#include "installer/inventory.hpp"

namespace nimbus::installer {
namespace {

constexpr std::chrono::seconds kAnswer{20};

std::string token_line(const std::string& token) { return "X-Nimbus-Token: " + token + "\r\n"; }

}  // namespace

Result<BootFacts> read_boot_facts(std::string_view command_line) {
  BootFacts facts{.url = kernel_argument(command_line, "nimbus.url"),
                  .run = kernel_argument(command_line, "nimbus.run"),
                  .nonce = kernel_argument(command_line, "nimbus.nonce"),
                  .token = kernel_argument(command_line, "nimbus.token")};
  if (facts.url.empty() || facts.run.empty() || facts.nonce.empty() || facts.token.empty()) {
    return Error{Code::Invalid, "the kernel's command line lacks nimbus.url, .run, .nonce or .token"};
  }
  const auto key = base::from_hex(kernel_argument(command_line, "nimbus.key"));
  if (!key || key->size() != facts.key.size()) {
    return Error{Code::Invalid, "nimbus.key on the kernel's command line is no key"};
  }
  std::copy(key->begin(), key->end(), facts.key.begin());
  return facts;
}

Result<boot::InstallPlan> HttpHome::plan() {
  auto text = base::http_request({.method = "GET",
                                  .url = facts_.url + "/v1/plan",
                                  .headers = token_line(facts_.token),
                                  .body_limit = 2 * boot::kMostPlanBytes},
                                 {clock_.now() + kAnswer}, clock_);
  if (!text) return std::move(text.error()).with("while asking for the plan");
  return boot::open_plan(*text, facts_.key);
}

Result<> HttpHome::report(const boot::Report& report) {
  boot::Report complete = report;
  complete.run = facts_.run;
  complete.nonce = facts_.nonce;
  auto text = base::http_request({.method = "POST",
                                  .url = facts_.url + "/v1/report",
                                  .headers = token_line(facts_.token),
                                  .body = boot::to_json(complete)},
                                 {clock_.now() + kAnswer}, clock_);
  if (!text) return std::move(text.error()).with("while reporting");
  return {};
}

}  // namespace nimbus::installer
