#include "boot/daemon.hpp"

#include <array>
#include <optional>

#include <fmt/core.h>

#include "base/crypto/crypto.hpp"
#include "base/file/file.hpp"
#include "base/http/server.hpp"
#include "base/log/log.hpp"
#include "base/text/text.hpp"
#include "base/time/time.hpp"
#include "boot/dhcp_probe.hpp"
#include "boot/dnsmasq.hpp"
#include "boot/service.hpp"
#include "boot/supervisor.hpp"

namespace nimbus::boot {
namespace {

using base::HttpRequest;
using base::HttpResponse;
using base::Level;

/// Servers ping an address for 3 s before they offer it.
constexpr std::chrono::milliseconds kProbe{4500};
constexpr std::size_t kMostFile = std::size_t{512} << 20U;

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

std::string nginx_configuration(const Config& config) {
  return fmt::format(
      "daemon off;\nmaster_process off;\npid {0}/nginx.pid;\nerror_log stderr warn;\n"
      "events {{}}\n"
      "http {{\n"
      "  access_log off;\n  sendfile on;\n  default_type application/octet-stream;\n"
      "  client_body_temp_path {0}/nginx;\n  proxy_temp_path {0}/nginx;\n  fastcgi_temp_path {0}/nginx;\n"
      "  uwsgi_temp_path {0}/nginx;\n  scgi_temp_path {0}/nginx;\n"
      "  server {{\n    listen {1}:{2};\n    root {3};\n    location ~ ^/(vmlinuz|ramdisk.img)$ {{ }}\n"
      "    location / {{ return 404; }}\n  }}\n}}\n",
      config.state, config.address, config.files_port, config.installer);
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
  Impl(const Config& config, std::unique_ptr<Service> service) : config_(config), service_(std::move(service)) {}

  Result<> start() {
    if (auto written = base::write_file_atomically(config_.state + "/nginx.conf", nginx_configuration(config_), 0600);
        !written) {
      return written;
    }
    if (auto made = base::make_folders(config_.state + "/nginx", 0700); !made) return made;
    // What was served before the restart was looked at then; machines wait.
    if (auto served = serve_dhcp(); !served) return served;
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
    return {{"PUT", "/v1/orders", [this](const HttpRequest& request) { return take(request); }},
            {"GET", "/v1/heard",
             [this](const HttpRequest&) {
               return HttpResponse{.content_type = "application/json", .body = to_json(service_->heard())};
             }},
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
    if (auto served = serve_dhcp(); !served) base::log(Level::Error, "dhcp-not-configured", served.error().text());
    return {.content_type = "application/json", .body = std::move(*sealed)};
  }

  HttpResponse report(const HttpRequest& request) {
    auto taken = service_->report(request.header("X-Nimbus-Token").value_or(""), request.body);
    if (!taken) base::log(Level::Warning, "report-refused", taken.error().text(), {{"remote", request.remote}});
    return answer(taken);
  }

  HttpResponse take(const HttpRequest& request) {
    auto orders = parse_orders(request.body);
    if (!orders) return refusal(orders.error());
    if (auto alone = look_around(*orders); !alone) return refusal(alone.error());
    if (auto taken = service_->take(std::move(*orders)); !taken) return refusal(taken.error());
    return answer(serve_dhcp());
  }

  /// Before the first order that wants a DHCP server: is there another one?
  Result<> look_around(const Orders& orders) {
    const std::lock_guard lock(dhcp_mutex_);
    if (dhcp_ || orders.dhcp != DhcpService::Server) return {};
    auto other = other_dhcp_server(config_.interface, kProbe, clock_);
    if (!other) return std::move(other.error());
    if (!*other) return {};
    const std::string why = "another DHCP server answers on " + config_.interface + ": " + **other;
    base::log(Level::Error, "dhcp-conflict", why);
    return Error{Code::Conflict, why + "; nothing is served beside it"};
  }

  /// Brings dnsmasq in line with the orders. A restart, not a reload: a machine that is
  /// no longer ordered keeps its answer otherwise.
  Result<> serve_dhcp() {
    const std::lock_guard lock(dhcp_mutex_);
    const Orders orders = service_->orders();
    if (orders.dhcp != DhcpService::Server) {
      dhcp_.reset();
      configuration_.clear();
      return {};
    }
    auto text = dnsmasq_configuration({.interface = config_.interface,
                                       .script_url = url_of(config_, config_.port) + "/ipxe/",
                                       .tftp_root = config_.ipxe,
                                       .state = config_.state,
                                       .answer_ipv6_routers = config_.router_advertisements},
                                      orders, service_->installing());
    if (!text) return std::move(text.error());
    if (*text == configuration_) return {};
    const std::string path = config_.state + "/dnsmasq.conf";
    if (auto written = base::write_file_atomically(path, *text, 0600); !written) return written;
    configuration_ = std::move(*text);
    // A file, begun anew with each start: dnsmasq does not end while its log is a pipe that
    // nobody reads any more, which is what it has when this process was killed. And no
    // change of user or group: that would undo that it ends with this process.
    const std::string log = config_.state + "/dnsmasq.log";
    if (auto begun = base::write_file_atomically(log, "", 0600); !begun) return begun;
    if (dhcp_) {
      dhcp_->restart();
    } else {
      dhcp_.emplace("dnsmasq",
                    std::vector<std::string>{config_.dnsmasq, "--keep-in-foreground", "--log-facility=" + log,
                                             "--conf-file=" + path, "--user=", "--group=", "--pid-file="},
                    clock_);
    }
    return {};
  }

  const Config config_;
  const base::SystemClock clock_;
  std::unique_ptr<Service> service_;
  std::mutex dhcp_mutex_;
  std::string configuration_;       // guarded by dhcp_mutex_
  std::optional<Supervisor> dhcp_;  // guarded by dhcp_mutex_
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
                               make_token);
  if (!service) return std::move(service.error());
  auto impl = std::make_unique<Impl>(config, std::move(*service));
  if (auto started = impl->start(); !started) return std::move(started.error());
  return std::unique_ptr<Daemon>(new Daemon(std::move(impl)));
}

Daemon::Daemon(std::unique_ptr<Impl> impl) : impl_(std::move(impl)) {}
Daemon::~Daemon() = default;

}  // namespace nimbus::boot
