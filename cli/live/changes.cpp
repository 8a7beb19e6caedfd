// nimbusctl reconcile, hold, resume, confirm, events: what changes something at nimbusd, and
// what watches it.
#include <fmt/core.h>

#include "base/text/text.hpp"
#include "cli/live/commands.hpp"
#include "cli/live/nimbusd.hpp"

namespace nimbus::cli {
namespace {

using base::Json;

/// "all" -> "/v1/holds/all". Errors: Invalid.
Result<std::string> hold_target(const std::string& text) {
  if (text == "all") return std::string("/v1/holds/all");
  auto name = machine_name(text);
  if (!name) return std::move(name.error());
  return "/v1/holds/machines/" + *name;
}

Exit change(Context& context, const std::string& method, const Result<std::string>& target, const Json& body,
            const std::string& done) {
  if (!target) return fail(context, target.error());
  const auto nimbusd = Nimbusd::of(context);
  if (!nimbusd) return fail_live(context, nimbusd.error());
  const auto answer = nimbusd->change(method, *target, body);
  if (!answer) return fail_live(context, answer.error());
  context.console.say(done);
  return Exit::Ok;
}

/// A hold may come before the machine's file. More often its name was mistyped, in a hurry.
void warn_of_stranger(Context& context, const std::string& machine) {
  const auto name = machine_name(machine);
  const auto nimbusd = Nimbusd::of(context);
  if (!name || !nimbusd) return;
  const auto known = nimbusd->get("/v1/machines/" + *name);
  if (known || known.error().code != Code::NotFound) return;
  context.console.warning("no machine '" + *name + "' is in force here: 'nimbusctl machine list' names those that are");
}

std::string text_of(const Json& value) { return std::string(value.as_string().value_or("")); }

Row row_of(const Json& event) {
  const std::string machine = text_of(event["machine"]);
  const std::string message = text_of(event["message"]);
  const std::string reason = text_of(event["reason"]);
  return {.name = text_of(event["id"]),
          .cells = {{text_of(event["time"])},
                    {machine.empty() ? "-" : machine},
                    {text_of(event["headline"])},
                    {message.empty() ? reason : reason + ": " + message}},
          .json = event};
}

Exit watch(Context& context, const Nimbusd& nimbusd, const std::string& machine) {
  const bool lines = context.format() == Format::Table || context.format() == Format::Wide;
  const auto ended = nimbusd.events("", machine, [&](const Json& event) {
    if (lines) {
      const Row row = row_of(event);
      context.console.out(fmt::format("{}  {:<16} {}  {}\n", base::printable(row.cells[0].text),
                                      base::printable(row.cells[1].text), base::printable(row.cells[2].text),
                                      base::printable(row.cells[3].text)));
    } else {
      context.console.out(render({.columns = {}, .rows = {row_of(event)}},
                                 context.format() == Format::Json ? Format::Jsonl : context.format(), context.console));
    }
    return context.console.flush();
  });
  if (!ended) return fail_live(context, ended.error());
  return fail_live(context, {Code::Unreachable, "nimbusd ended the stream"});
}

}  // namespace

Exit run_reconcile(Context& context) {
  const std::string what = context.args.text("MACHINE");
  if (is_configured_instance(context, what)) {
    return change(context, "POST", "/v1/instances/" + what + ":reconcile", {},
                  what + ": queued, before everything else");
  }
  const auto name = machine_name(what);
  const Result<std::string> target = name ? Result<std::string>("/v1/machines/" + *name + ":reconcile") : name.error();
  return change(context, "POST", target, {}, (name ? *name : "") + ": queued, before everything else");
}

Exit run_hold(Context& context) {
  const std::string what = context.args.text("MACHINE|all");
  const Exit exit = change(
      context, "PUT", hold_target(what), Json::object({{"reason", context.args.text("reason")}}),
      what + ": held; nothing is written to " + (what == "all" ? "any machine" : "it") + " until 'nimbusctl resume'");
  if (exit == Exit::Ok && what != "all") warn_of_stranger(context, what);
  return exit;
}

Exit run_resume(Context& context) {
  const std::string what = context.args.text("MACHINE|all");
  return change(context, "DELETE", hold_target(what), {}, what + ": the hold is lifted");
}

Exit run_confirm(Context& context) {
  const std::string commit = context.args.text("COMMIT");
  return change(context, "POST", std::string("/v1/registry:confirm"),
                Json::object({{"commit", commit}, {"reason", context.args.text("reason")}}),
                commit + ": confirmed; nimbusd goes on from there");
}

Exit run_events(Context& context) {
  const auto nimbusd = Nimbusd::of(context);
  if (!nimbusd) return fail_live(context, nimbusd.error());
  std::string machine;
  if (const auto given = context.args.get("machine")) {
    auto name = machine_name(*given);
    if (!name) return fail(context, name.error());
    machine = *name;
  }
  if (context.args.flag("watch")) return watch(context, *nimbusd, machine);
  Listing listing{.columns = {{"TIME"}, {"MACHINE"}, {"EVENT"}, {"WHY"}}};
  std::string after;
  while (true) {
    const auto page = nimbusd->get("/v1/events?machine=" + machine + (after.empty() ? "" : "&after=" + after));
    if (!page) return fail_live(context, page.error());
    for (const auto& event : (*page)["events"].items()) listing.rows.push_back(row_of(event));
    const std::string next = text_of((*page)["next"]);
    if (next == after || (*page)["events"].size() == 0) break;
    after = next;
  }
  context.console.out(render(listing, context.format(), context.console));
  return Exit::Ok;
}

}  // namespace nimbus::cli
