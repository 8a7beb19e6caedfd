// nimbusctl drift TENANT/INSTANCE, explain instance, reconcile TENANT/INSTANCE: hosts as
// nimbusd knows them now.
#include <fmt/core.h>

#include "base/text/text.hpp"
#include "cli/live/commands.hpp"
#include "cli/live/nimbusd.hpp"
#include "core/names.hpp"

namespace nimbus::cli {
namespace {

using base::Json;

std::string text_of(const Json& value) { return std::string(value.as_string().value_or("")); }

Listing gaps_listing(const Json& host) {
  Listing out{.columns = {{"RESOURCE"}, {"WHAT"}, {"DESIRED"}, {"OBSERVED"}}};
  for (const auto& gap : host["gaps"].items()) {
    const std::string resource = text_of(gap["resource"]);
    const std::string problem = text_of(gap["problem"]);
    for (const auto& drift : gap["drifts"].items()) {
      const std::string key = text_of(drift["key"]);
      const std::string what = key.starts_with(resource + ".") ? key.substr(resource.size() + 1) : key;
      out.rows.push_back({.name = resource,
                          .cells = {{resource}, {what}, {text_of(drift["desired"])}, {text_of(drift["observed"])}},
                          .json = drift});
    }
    if (!problem.empty())
      out.rows.push_back({.name = resource, .cells = {{resource}, {problem}, {""}, {""}}, .json = gap});
  }
  return out;
}

/// What nimbusd sends was made printable line by line; line ends are its own.
void print_diffs(Context& context, const Json& host) {
  for (const auto& item : host["diffs"].items()) {
    const std::string diff = text_of(item["diff"]);
    context.console.out("\n");
    for (const auto line : base::split(diff, '\n')) {
      const Style style = line.starts_with("+") ? Style::Good : line.starts_with("-") ? Style::Bad : Style::Plain;
      context.console.out(context.console.paint(style, base::printable(line)) + "\n");
    }
  }
}

Result<Json> host_of(const Context& context, const std::string& instance) {
  const auto nimbusd = Nimbusd::of(context);
  if (!nimbusd) return nimbusd.error();
  return nimbusd->get("/v1/instances/" + instance + "/configuration");
}

bool for_people(Format format) { return format == Format::Table || format == Format::Wide; }

void print_state(Context& context, const Json& host) {
  Listing page{.columns = {{"INSTANCE"}, {text_of(host["instance"])}}};
  const auto add = [&](const char* title, const std::string& text) {
    if (!text.empty()) page.rows.push_back({.cells = {{title, Style::Dim}, {text}}});
  };
  add("machine", text_of(host["machine"]));
  add("address", text_of(host["address"]));
  add("configuration", text_of(host["mode"]));
  add("state", text_of(host["state"]));
  add("because", text_of(host["because"]));
  add("waiting for", text_of(host["waiting_for"]));
  add("next step", text_of(host["next_step"]));
  add("health", text_of(host["health"]["trouble"]));
  for (const auto& line : host["unproven"].items()) add("unproven", text_of(line));
  add("looked at", text_of(host["looked_at"]));
  add("next look", text_of(host["next_look"]));
  context.console.out(render(page, Format::Table, context.console));
}

}  // namespace

bool is_instance_name(const std::string& text) {
  const auto slash = text.find('/');
  return slash != std::string::npos && is_dns_label(text.substr(0, slash)) && is_dns_label(text.substr(slash + 1));
}

Exit drift_of_instance(Context& context, const std::string& instance) {
  const auto host = host_of(context, instance);
  if (!host) return fail_live(context, host.error());
  const auto listing = gaps_listing(*host);
  const bool any = !listing.rows.empty();
  if (for_people(context.format())) {
    if (any) context.console.out(render(listing, context.format(), context.console));
    print_diffs(context, *host);
    context.console.hint(text_of((*host)["because"]) + "\n");
  } else {
    context.console.out(render_value(*host, context.format()));
  }
  return any && context.args.flag("exit-code") ? Exit::Changes : Exit::Ok;
}

Exit explain_instance(Context& context, const std::string& instance) {
  const auto host = host_of(context, instance);
  if (!host) return fail_live(context, host.error());
  if (for_people(context.format())) {
    print_state(context, *host);
  } else {
    context.console.out(render_value(*host, context.format()));
  }
  return Exit::Ok;
}

bool is_configured_instance(Context& context, const std::string& text) {
  return is_instance_name(text) && host_of(context, text).has_value();
}

}  // namespace nimbus::cli
