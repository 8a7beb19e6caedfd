#include "boot/daemon.hpp"

#include <array>
#include <mutex>
#include <optional>

#include <fmt/core.h>

#include "base/crypto/crypto.hpp"
#include "base/file/file.hpp"
#include "base/http/server.hpp"
#include "base/http/web_source.hpp"
#include "base/log/log.hpp"
#include "base/text/text.hpp"
#include "base/time/time.hpp"
#include "boot/dhcp_server.hpp"
#include "boot/image_cache.hpp"
#include "boot/nginx.hpp"
#include "boot/protocol/source_rules.hpp"
#include "boot/service.hpp"
#include "boot/supervisor.hpp"

namespace nimbus::boot {
namespace {

using base::HttpRequest;
using base::HttpResponse;
using base::Level;

constexpr std::size_t kMostFile = std::size_t{512} << 20U;

const base::SystemClock kClock;

std::string make_token() {
  std::array<std::uint8_t, 16> bytes{};
  base::random_bytes(bytes);
  return base::to_hex(bytes);
}

std::string url_of(const Config& config, int port) { return fmt::format("http://{}:{}", config.address, port); }

/// The files that machines execute are those that were built.
Result<> check_installer(const std::string& folder) {
  auto sums = base::read_file(folder + "/SHA256SUMS", 4096);
  if (!sums) return std::move(sums.error()).with("while looking for the installer");
  int checked = 0;
  for (const auto line : base::split(*sums, '\n')) {
    if (line.size() < 67) continue;
    const std::string name(line.substr(66));
    if (name != "vmlinuz" && name != "ramdisk.img") continue;
    auto content = base::read_file(folder + "/" + name, kMostFile);
    if (!content) return std::move(content.error());
    if (base::sha256_hex(*content) != line.substr(0, 64)) {
      return Error{Code::Untrusted, folder + "/" + name + " is not the file that SHA256SUMS names"};
    }
    ++checked;
  }
  if (checked != 2) return Error{Code::Invalid, folder + "/SHA256SUMS does not name vmlinuz and ramdisk.img"};
  return {};
}

HttpResponse refusal(const Error& error) {
  int status = 500;
  if (error.code == Code::Auth) status = 403;
  if (error.code == Code::Conflict) status = 409;
  if (error.code == Code::Invalid || error.code == Code::Corrupt) status = 400;
  return {.status = status, .body = base::printable(error.text()) + "\n"};
}

HttpResponse answer(const Result<>& result) {
  if (!result) return refusal(result.error());
  return {.body = "ok\n"};
}

}  // namespace

class Daemon::Impl {
 public:
  Impl(const Config& config, std::unique_ptr<Service> service)
      : config_(config),
        service_(std::move(service)),
        dhcp_({.program = config_.dnsmasq,
               .facts = {.interface = config_.interface,
                         .address = config_.address,
                         .script_url = url_of(config_, config_.port) + "/ipxe/",
                         .tftp_root = config_.ipxe,
                         .state = config_.state,
                         .answer_ipv6_routers = config_.router_advertisements}},
              *service_, clock_) {}

  Result<> start() {
    if (auto written = base::write_file_atomically(config_.state + "/nginx.conf", nginx_configuration(config_), 0600);
        !written) {
      return written;
    }
    if (auto made = base::make_folders(config_.state + "/nginx", 0700); !made) return made;
    if (auto opened = open_images(); !opened)
      return std::move(opened.error()).with("while opening the cache of images");
    // What was served before the restart was looked at then; machines wait.
    if (auto served = dhcp_.start(); !served) return served;
    auto machines = base::HttpServer::start(
        {.address = fmt::format("{}:{}", config_.address, config_.port), .exposure = base::Exposure::Anywhere},
        machine_routes());
    if (!machines) return std::move(machines.error()).with("while listening on the provisioning network");
    machines_ = std::move(*machines);
    auto control = base::HttpServer::start({.address = "unix:" + config_.control}, control_routes(),
                                           {.workers = 2, .body_bytes = kMostOrderBytes});
    if (!control) return std::move(control.error()).with("while listening on " + config_.control);
    control_ = std::move(*control);
    files_.emplace("nginx",
                   std::vector<std::string>{config_.nginx, "-p", config_.state, "-c", config_.state + "/nginx.conf",
                                            "-e", "stderr"},
                   clock_);
    base::log(Level::Info, "boot-ready", "serves machines", {{"address", machines_->address()}});
    return {};
  }

  ~Impl() {
    if (control_) control_->stop();
    if (machines_) machines_->stop();
  }

 private:
  std::vector<base::HttpRoute> machine_routes() {
    return {{"GET", "/ipxe", [this](const HttpRequest& request) { return script(request); }, base::PathMatch::Prefix},
            {"GET", "/v1/plan", [this](const HttpRequest& request) { return plan(request); }},
            {"POST", "/v1/report", [this](const HttpRequest& request) { return report(request); }}};
  }

  std::vector<base::HttpRoute> control_routes() {
    return {
        {"PUT", "/v1/orders", [this](const HttpRequest& request) { return take(request, &Service::take); }},
        {"POST", "/v1/orders", [this](const HttpRequest& request) { return take(request, &Service::change); }},
        {"GET", "/v1/heard", [this](const HttpRequest& request) { return heard(request); }, base::PathMatch::Prefix},
        {"PUT", "/v1/images", [this](const HttpRequest& request) { return image(request); }},
        {"GET", "/healthz", [](const HttpRequest&) { return HttpResponse{.body = "ok\n"}; }}};
  }

  HttpResponse script(const HttpRequest& request) {
    constexpr std::string_view kFolder = "/ipxe/";
    if (!request.path.starts_with(kFolder)) return {.status = 404, .body = "no such machine\n"};
    const std::string_view mac = std::string_view(request.path).substr(kFolder.size());
    auto text = service_->script(mac);
    base::log(Level::Info, "script-served",
              text ? (text->find("nimbus.run") != std::string::npos ? "installer" : "disk") : "not found",
              {{"mac", base::printable(mac, 32)}});
    if (!text) return {.status = 404, .body = "boot your disk\n"};
    return {.body = std::move(*text)};
  }

  HttpResponse plan(const HttpRequest& request) {
    auto sealed = service_->plan(request.header("X-Nimbus-Token").value_or(""));
    if (!sealed) {
      base::log(Level::Warning, "plan-refused", sealed.error().text(), {{"remote", request.remote}});
      return refusal(sealed.error());
    }
    dhcp_.changed();
    return {.content_type = "application/json", .body = std::move(*sealed)};
  }

  HttpResponse report(const HttpRequest& request) {
    auto taken = service_->report(request.header("X-Nimbus-Token").value_or(""), request.body);
    if (!taken) base::log(Level::Warning, "report-refused", taken.error().text(), {{"remote", request.remote}});
    return answer(taken);
  }

  HttpResponse take(const HttpRequest& request, Result<> (Service::*take_over)(OrdersUpdate)) {
    auto part = parse_orders_update(request.body);
    if (!part) return refusal(part.error());
    auto update = put_together(std::move(*part));
    if (!update) return refusal(update.error());
    if (!*update) return {.body = "more\n"};
    if (auto possible = dhcp_.accepts((*update)->orders); !possible) return refusal(possible.error());
    if (auto taken = ((*service_).*take_over)(std::move(**update)); !taken) return refusal(taken.error());
    dhcp_.changed();
    return {.body = "ok\n"};
  }

  Result<std::optional<OrdersUpdate>> put_together(OrdersUpdate part) {
    const std::lock_guard lock(putting_together_);
    return parts_.take(std::move(part));
  }

  HttpResponse heard(const HttpRequest& request) {
    constexpr std::string_view kFolder = "/v1/heard/";
    if (!request.path.starts_with(kFolder)) return {.status = 404, .body = "no such machine\n"};
    const auto heard = service_->heard(std::string_view(request.path).substr(kFolder.size()));
    if (!heard) return {.status = 404, .body = "no run is ordered for this machine\n"};
    return {.content_type = "application/json", .body = to_json(*heard)};
  }

  Result<> open_images() {
    if (!config_.images) return {};
    const auto& wanted = *config_.images;
    auto cache = ImageCache::open({.folder = wanted.folder,
                                   .url = url_of(config_, config_.files_port) + "/images/",
                                   .most_bytes = wanted.bytes,
                                   .source = [this](const std::string& url, const ImageOrder& order,
                                                    std::stop_token stop) -> std::unique_ptr<base::ByteSource> {
                                     return std::make_unique<base::WebSource>(
                                         base::WebSourceOptions{.url = url,
                                                                .ca_file = config_.images->ca_file,
                                                                .rules = source_rules(order.sources, order.never),
                                                                .stop = std::move(stop)});
                                   },
                                   .needed = [this] { return service_->images(); }},
                                  clock_);
    if (!cache) return std::move(cache.error());
    images_ = std::move(*cache);
    return {};
  }

  /// Whether an image is in the cache; asked for it, it will be.
  HttpResponse image(const HttpRequest& request) {
    if (!images_) return {.status = 404, .body = "there is no cache of images\n"};
    const auto order = parse_image_order(request.body);
    if (!order) return refusal(order.error());
    return {.content_type = "application/json", .body = to_json(images_->want(*order))};
  }

  const Config config_;
  const base::SystemClock clock_;
  std::unique_ptr<Service> service_;
  std::unique_ptr<ImageCache> images_;
  std::mutex putting_together_;  // of parts_
  OrderParts parts_;
  DhcpServer dhcp_;
  std::optional<Supervisor> files_;
  std::unique_ptr<base::HttpServer> machines_, control_;
};

Result<std::unique_ptr<Daemon>> Daemon::start(const Config& config) {
  if (auto checked = check_installer(config.installer); !checked) return std::move(checked.error());
  if (auto made = base::make_folders(config.state, 0700); !made) return std::move(made.error());
  auto service = Service::open(config.state,
                               {.url = url_of(config, config.port),
                                .files_url = url_of(config, config.files_port),
                                .kernel_arguments = config.kernel_arguments},
                               make_token, kClock);
  if (!service) return std::move(service.error());
  auto impl = std::make_unique<Impl>(config, std::move(*service));
  if (auto started = impl->start(); !started) return std::move(started.error());
  return std::unique_ptr<Daemon>(new Daemon(std::move(impl)));
}

Daemon::Daemon(std::unique_ptr<Impl> impl) : impl_(std::move(impl)) {}
Daemon::~Daemon() = default;

}  // namespace nimbus::boot
