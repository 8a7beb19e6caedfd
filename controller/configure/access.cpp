#include "controller/configure/access.hpp"

#include <fmt/core.h>

#include "base/json/json.hpp"
#include "reconcilers/configure/shell.hpp"

namespace nimbus::controller {

using base::Json;

std::string to_json(const HostAccess& access) {
  return Json::object()
      .set("instance", access.instance)
      .set("path", access.path)
      .set("machine", access.machine)
      .set("adopted", access.adopted)
      .set("address", access.endpoint.address)
      .set("host_key", access.endpoint.host_key)
      .set("user", access.endpoint.user)
      .text();
}

Result<HostAccess> parse_access(std::string_view text) {
  const auto json = base::parse_json(text, {.bytes = 16 * 1024, .depth = 2, .values = 20});
  if (!json) return Error{Code::Corrupt, "the journal's record of access to a host makes no sense"};
  const auto word = [&](const char* key) { return std::string((*json)[key].as_string().value_or("")); };
  HostAccess access{.instance = word("instance"),
                    .path = word("path"),
                    .machine = word("machine"),
                    .adopted = (*json)["adopted"].as_bool().value_or(false),
                    .endpoint = {.address = word("address"), .host_key = word("host_key"), .user = word("user")}};
  const bool whole = !access.instance.empty() && !access.endpoint.address.empty() &&
                     !access.endpoint.host_key.empty() && !access.endpoint.user.empty();
  if (!whole) return Error{Code::Corrupt, "the journal's record of access to a host lacks something"};
  return access;
}

std::string removal_script(const std::string& user, const std::string& public_key) {
  using reconcilers::configure::quote;
  // The key goes first: from then on nobody comes in, whatever becomes of the rest. A file is replaced as a whole, or
  // stays: on a full disk it would lose what others have in it. sudo passes over names with a dot.
  return fmt::format(R"sh({{
set -u
LC_ALL=C; export LC_ALL
without() {{
  f=$(readlink -f "$1")
  rm -f "$f.nimbus" && cp -p "$f" "$f.nimbus" && {{ grep -v "$2" "$3" "$f" >"$f.nimbus"; [ $? -le 1 ]; }} &&
    mv -f "$f.nimbus" "$f" && return 0
  rm -f "$f.nimbus"
  exit 1
}}
entry=$(getent passwd {user} || grep "^"{user}: /etc/passwd)
home=$(printf '%s\n' "$entry" | cut -d: -f6)
keys=$home/.ssh/authorized_keys
if [ -f "$keys" ] && grep -qF {key} "$keys"; then without "$keys" -F {key}; fi
if [ "$(printf '%s\n' "$entry" | cut -d: -f5)" = {name} ]; then
  rm -f {sudoers} || exit 1
  seed=/etc/sudoers.d/90-cloud-init-users
  [ ! -f "$seed" ] || without "$seed" -e {rule}
  userdel -f {user} </dev/null 2>/dev/null || deluser {user} </dev/null || exit 1
fi
! grep -qF {key} "$keys" 2>/dev/null
exit $?
}}
)sh",
                     fmt::arg("user", quote(user)), fmt::arg("key", quote(public_key)),
                     fmt::arg("rule", quote("^" + reconcilers::configure::literal_pattern(user) + " ")),
                     fmt::arg("name", quote(kAccountName)), fmt::arg("sudoers", quote(kSudoersFile)));
}

}  // namespace nimbus::controller
