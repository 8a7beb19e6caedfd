// nimbusctl audit verify, audit list: the controller's audit log, read from its folder.
#include <algorithm>

#include <fmt/core.h>

#include "base/chain/chain.hpp"
#include "base/text/text.hpp"
#include "cli/live/commands.hpp"
#include "cli/place.hpp"
#include "cli/status_read.hpp"

namespace nimbus::cli {
namespace {

using base::ChainHead;
using base::ChainReport;
using base::Json;

/// The head that a status branch keeps; nothing if there is no branch to ask.
/// Errors: when a provider was named and its branch says nothing.
Result<std::optional<ChainHead>> anchor_of(Context& context) {
  const auto provider = context.args.get("provider");
  const auto place = find_place(context.registry_start());
  if (!place) {
    if (provider) return place.error();
    return std::optional<ChainHead>();
  }
  const auto repository = open_repository(*place);
  if (!repository) return repository.error();
  std::string name;
  if (provider) {
    name = *provider;
  } else {
    const auto providers = list_providers(*repository);
    if (!providers || providers->size() != 1) return std::optional<ChainHead>();
    name = providers->front();
  }
  const auto view = read_provider_status(*repository, branch_prefix(*repository), name);
  if (!view) {
    if (provider) return view.error();
    return std::optional<ChainHead>();
  }
  const auto records = base::parse_json(text_at(view->controller, "audit.records"));
  const std::string head = text_at(view->controller, "audit.head");
  const auto number = records ? records->as_int() : std::nullopt;
  if (!number || *number < 1 || head.empty()) {
    if (provider) return Error{Code::NotFound, "the status branch of '" + name + "' keeps no head of an audit log"};
    return std::optional<ChainHead>();
  }
  return std::optional<ChainHead>(ChainHead{static_cast<std::uint64_t>(*number), head});
}

Json report_json(const ChainReport& report, const std::optional<ChainHead>& anchor) {
  Json faults = Json::array();
  for (const auto& fault : report.faults) {
    faults.push(Json::object({{"file", fault.file}, {"line", fault.line}, {"what", fault.what}}));
  }
  return Json::object({{"valid", report.faults.empty()},
                       {"first", report.first},
                       {"last", report.head.seq},
                       {"head", report.head.hash},
                       {"records", report.records},
                       {"torn_bytes", report.torn_bytes},
                       {"anchor", anchor ? Json::object({{"records", anchor->seq}, {"head", anchor->hash}}) : Json()},
                       {"faults", std::move(faults)}});
}

std::string text_of(const Json& value) {
  if (const auto number = value.as_int()) return std::to_string(*number);
  return std::string(value.as_string().value_or(""));
}

}  // namespace

Exit run_audit_verify(Context& context) {
  const auto anchor = anchor_of(context);
  if (!anchor) return fail(context, anchor.error());
  const auto report = base::verify_chain(context.args.text("folder"), *anchor);
  if (!report) return fail(context, report.error());
  if (report->torn_bytes > 0) {
    context.console.warning(
        fmt::format("the last line is unfinished ({} bytes), as after a crash", report->torn_bytes));
  }
  if (!*anchor) {
    context.console.warning(
        "not compared with a status branch: lines cut off at the end would not show (-C, --provider)");
  }
  if (context.format() != Format::Table && context.format() != Format::Wide && context.format() != Format::Name) {
    context.console.out(render_value(report_json(*report, *anchor), context.format()));
  } else if (report->faults.empty()) {
    context.console.out(fmt::format("valid: {} lines, {} to {}, head {}\n", report->records, report->first,
                                    report->head.seq, report->head.hash.empty() ? "-" : report->head.hash));
  }
  for (const auto& fault : report->faults) {
    context.console.error(fault.file.empty() ? fault.what
                                             : fmt::format("{}:{}: {}", fault.file, fault.line, fault.what));
  }
  return report->faults.empty() ? Exit::Ok : Exit::Invalid;
}

Exit run_audit_list(Context& context) {
  constexpr std::int64_t kMost = 100'000;
  const auto limit = std::clamp<std::int64_t>(context.args.number("limit"), 1, kMost);
  const auto lines = base::read_chain(context.args.text("folder"), static_cast<std::size_t>(limit));
  if (!lines) return fail(context, lines.error());
  using enum Column::When;
  Listing listing{
      .columns = {{"SEQ"}, {"TIME"}, {"WHAT"}, {"MACHINE"}, {"ACTION"}, {"OUTCOME"}, {"WHO"}, {"COMMIT"}, {"REASON"}}};
  for (const auto& line : *lines) {
    const std::string who = text_of(line["author"]).empty() ? text_of(line["by"]) : text_of(line["author"]);
    const std::string why = text_of(line["reason"]).empty() ? text_of(line["detail"]) : text_of(line["reason"]);
    listing.rows.push_back({.name = text_of(line["seq"]),
                            .cells = {{text_of(line["seq"])},
                                      {text_of(line["time"])},
                                      {text_of(line["type"])},
                                      {text_of(line["machine"])},
                                      {text_of(line["action"])},
                                      {text_of(line["outcome"])},
                                      {who},
                                      {text_of(line["commit"]).substr(0, 12)},
                                      {why}},
                            .json = line});
  }
  context.console.out(render(listing, context.format(), context.console));
  return Exit::Ok;
}

}  // namespace nimbus::cli
