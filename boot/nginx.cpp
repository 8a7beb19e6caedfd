#include "boot/nginx.hpp"

#include <fmt/core.h>

namespace nimbus::boot {
namespace {

/// Connections at a time: each machine has one, and may keep a lost one for a while.
constexpr int kConnections = 8192;

}  // namespace

std::string nginx_configuration(const Config& config) {
  std::string out = fmt::format(
      "daemon off;\nmaster_process off;\npid {0}/nginx.pid;\nerror_log stderr warn;\n"
      "events {{ worker_connections {1}; }}\n"
      "http {{\n"
      "  access_log off;\n  sendfile on;\n  server_tokens off;\n  default_type application/octet-stream;\n"
      "  client_body_temp_path {0}/nginx;\n  proxy_temp_path {0}/nginx;\n  fastcgi_temp_path {0}/nginx;\n"
      "  uwsgi_temp_path {0}/nginx;\n  scgi_temp_path {0}/nginx;\n"
      "  server {{\n    listen {2}:{3};\n    root {4};\n    location ~ ^/(vmlinuz|ramdisk.img)$ {{ }}\n",
      config.state, kConnections, config.address, config.files_port, config.installer);
  if (config.images) {
    // By their digests only: what is on its way into the cache has another name.
    out += fmt::format("    location ~ \"^/images/([0-9a-f]{{64}})$\" {{ alias {}/$1; }}\n", config.images->folder);
  }
  return out + "    location / { return 404; }\n  }\n}\n";
}

}  // namespace nimbus::boot
