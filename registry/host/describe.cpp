#include "registry/host/describe.hpp"

#include <optional>

#include <fmt/core.h>

#include "registry/host/expansion.hpp"

namespace nimbus::registry {
namespace {

using Details = std::vector<std::pair<std::string, std::string>>;

class Describer {
 public:
  Details operator()(const host::Package& r) {
    if (state(r.presence)) return done();
    return text("version", r.version).flag("hold", r.hold).done();
  }
  Details operator()(const host::File& r) {
    if (state(r.presence)) return done();
    text("owner", r.owner).text("group", r.group).text("mode", r.mode);
    if (r.is_secret) return text("secret", r.secret_name).done();
    return text("sha256", r.sha256).text("size", std::to_string(r.content.size())).text("validate", r.validate).done();
  }
  Details operator()(const host::Directory& r) {
    if (state(r.presence)) return done();
    return text("owner", r.owner).text("group", r.group).text("mode", r.mode).done();
  }
  Details operator()(const host::Link& r) {
    if (state(r.presence)) return done();
    return text("target", r.target).done();
  }
  Details operator()(const host::OwnedFiles& r) { return text("keep", words(r.keep)).done(); }
  Details operator()(const host::Group& r) {
    if (state(r.presence)) return done();
    return number("gid", r.gid).done();
  }
  Details operator()(const host::User& r) {
    if (state(r.presence)) return done();
    number("uid", r.uid).text("groups", words(r.groups)).text("shell", r.shell).text("home", r.home);
    if (!r.manages_keys) return done();
    text("keys", r.exclusive_keys ? "exclusive" : "additive");
    std::string keys;
    for (const auto& key : r.ssh_keys) keys += (keys.empty() ? "" : ", ") + key;
    return text("ssh_keys", keys).done();
  }
  Details operator()(const host::Unit& r) {
    return truth("enabled", r.enabled)
        .truth("running", r.running)
        .text("on_change", r.on_change == host::Unit::OnChange::Reload ? "reload" : "restart")
        .done();
  }
  Details operator()(const host::Sysctl& r) { return text("value", r.value).done(); }
  Details operator()(const host::KernelModule&) { return done(); }
  Details operator()(const host::Mount& r) {
    if (state(r.presence)) return done();
    return text("source", r.source).text("fs", r.fs).text("options", r.options).done();
  }
  Details operator()(const host::Swap& r) {
    if (state(r.presence)) return done();
    return text("size_mib", std::to_string(r.size_mib)).done();
  }
  Details operator()(const host::Setting& r) { return text("value", r.value).done(); }
  Details operator()(const host::Block& r) { return text("lines", r.lines).done(); }
  Details operator()(const host::Command& r) {
    return text("run", r.run).text("creates", r.creates).text("unless", r.unless).text("user", r.user).done();
  }
  Details operator()(const host::Action& r) {
    return text("run", r.run).text("undo", r.undo).text("unless", r.unless).done();
  }

 private:
  Describer& text(std::string key, std::string value) {
    if (!value.empty()) details_.emplace_back(std::move(key), std::move(value));
    return *this;
  }
  Describer& flag(std::string key, bool value) { return text(std::move(key), value ? "true" : ""); }
  Describer& truth(std::string key, const std::optional<bool>& value) {
    return text(std::move(key), !value ? "" : *value ? "true" : "false");
  }
  Describer& number(std::string key, const std::optional<std::int64_t>& value) {
    return text(std::move(key), value ? std::to_string(*value) : "");
  }
  /// True: it is to be absent, and nothing else matters.
  bool state(host::Presence presence) {
    const bool absent = presence == host::Presence::Absent;
    text("state", absent ? "absent" : "present");
    return absent;
  }
  Details done() { return std::move(details_); }

  Details details_;
};

}  // namespace

Details describe(const host::Wanted& wanted) { return std::visit(Describer(), wanted); }

}  // namespace nimbus::registry
