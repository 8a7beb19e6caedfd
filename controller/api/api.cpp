#include "controller/api/api.hpp"

#include <algorithm>
#include <map>

#include "base/time/time.hpp"
#include "controller/api/answer.hpp"
#include "controller/api/machine_json.hpp"

namespace nimbus::controller {
namespace {

using base::HttpRequest;
using base::HttpResponse;
using base::Json;

constexpr std::size_t kEventsInAPage = 500;

std::string_view to_word(AcceptedRegistry::State state) {
  switch (state) {
    case AcceptedRegistry::State::Accepted:
      return "accepted";
    case AcceptedRegistry::State::Partly:
      return "partly";
    case AcceptedRegistry::State::Refused:
      return "refused";
    case AcceptedRegistry::State::Held:
      return "held";
  }
  return "refused";
}

Json registry_json(const std::shared_ptr<const AcceptedRegistry>& registry) {
  if (!registry) return {};
  constexpr std::size_t kShown = 100;
  Json problems = Json::array();
  for (const auto& problem : registry->problems) {
    if (problems.size() == kShown) break;
    problems.push(Json::object({{"code", problem.code},
                                {"file", problem.file},
                                {"line", problem.line},
                                {"column", problem.column},
                                {"message", problem.message}}));
  }
  return Json::object({{"state", to_word(registry->state)},
                       {"observed_commit", registry->observed_commit},
                       {"accepted_commit", registry->accepted_commit},
                       {"held_plan", registry->held_plan.empty() ? Json() : Json(registry->held_plan)},
                       {"problem_count", registry->problems.size()},
                       {"problems", std::move(problems)}});
}

Json counts_json(const std::vector<LiveBoard::Entry>& entries) {
  std::map<std::string_view, std::size_t> health = {{"ok", 0}, {"attention", 0}, {"unknown", 0}, {"trouble", 0}};
  std::map<std::string_view, std::size_t> power = {{"on", 0}, {"off", 0}, {"changing", 0}, {"unknown", 0}};
  std::size_t held = 0;
  std::size_t stalled = 0;
  for (const auto& entry : entries) {
    health[to_string(entry.live ? judge(entry.live->status).health : MachineHealth::Unknown)] += 1;
    const auto seen = entry.live ? entry.live->status.power : std::nullopt;
    power[!seen ? "unknown" : *seen == PowerState::On ? "on" : *seen == PowerState::Off ? "off" : "changing"] += 1;
    held += entry.live && !entry.live->facts.report.local_hold.empty() ? 1U : 0U;
    stalled += entry.machine.stalled.empty() ? 0U : 1U;
  }
  const auto object = [](const auto& counts) {
    Json out = Json::object();
    for (const auto& [name, count] : counts) out.set(std::string(name), count);
    return out;
  };
  return Json::object({{"total", entries.size()},
                       {"health", object(health)},
                       {"power", object(power)},
                       {"held", held},
                       {"stalled", stalled}});
}

HttpResponse fleet(const ApiContext& context, const HttpRequest& request) {
  const ControllerView view = context.controller();
  const auto holds = context.holds.list();
  Json hold_list = Json::array();
  if (holds) {
    for (const auto& hold : *holds) hold_list.push(hold_json(hold));
  }
  return answer(request, Json::object({{"provider", view.provider},
                                       {"controller", Json::object({{"id", view.id},
                                                                    {"version", NIMBUS_VERSION},
                                                                    {"started", time_json(view.started)},
                                                                    {"ready", view.ready},
                                                                    {"authority", view.authority},
                                                                    {"term", view.term},
                                                                    {"detail", view.detail}})},
                                       {"registry", registry_json(context.board.registry())},
                                       {"machines", counts_json(context.board.all())},
                                       {"queue", Json::object({{"queued", view.queued}, {"running", view.running}})},
                                       {"status_waiting", view.status_waiting},
                                       {"holds", std::move(hold_list)}}));
}

bool has_health(const LiveBoard::Entry& entry, MachineHealth wanted) {
  return (entry.live ? judge(entry.live->status).health : MachineHealth::Unknown) == wanted;
}

HttpResponse machines(const ApiContext& context, const HttpRequest& request) {
  const std::string wanted(request.parameter("health").value_or(""));
  const auto health = parse_machine_health(wanted);
  if (!wanted.empty() && !health) {
    return problem(400, "INVALID_ARGUMENT", "health must be ok, attention, unknown or trouble");
  }
  auto page = page_request(request, "machines health=" + wanted);
  if (!page) return problem(page.error());
  Json list = Json::array();
  std::string next;
  // One more than asked for tells whether there is a next page.
  std::string after = page->after;
  while (next.empty()) {
    const auto entries = context.board.page(after, page->size + 1);
    for (const auto& entry : entries) {
      if (health && !has_health(entry, *health)) {
        after = entry.name;
        continue;
      }
      if (list.size() == page->size) {
        next = page_token(after, "machines health=" + wanted);
        break;
      }
      list.push(machine_summary_json(entry));
      after = entry.name;
    }
    if (entries.size() <= page->size) break;
  }
  return answer(request, Json::object({{"machines", std::move(list)}, {"next_page_token", next}}));
}

HttpResponse no_machine(const std::string& name) {
  return problem(404, "NOT_FOUND", "there is no machine \"" + name + "\" in the accepted registry");
}

HttpResponse machine(const ApiContext& context, const ApiRequest& request) {
  const auto entry = context.board.machine(request.parts.at("machine"));
  if (!entry) return no_machine(request.parts.at("machine"));
  return answer(request.http, machine_json(*entry));
}

HttpResponse journal(const ApiContext& context, const ApiRequest& request) {
  const std::string& name = request.parts.at("machine");
  if (!context.board.machine(name)) return no_machine(name);
  const auto page = page_request(request.http, "journal " + name);
  if (!page) return problem(page.error());
  const auto runs = context.journal(name);
  if (!runs) return problem(runs.error());
  Json list = Json::array();
  std::string next;
  bool begun = page->after.empty();
  for (const auto& run : *runs) {
    const std::string id = std::to_string(run.id);
    if (!begun) {
      begun = id == page->after;
      continue;
    }
    if (list.size() == page->size) {
      next = page_token(std::to_string(list.at(list.size() - 1)["id"].as_int().value_or(0)), "journal " + name);
      break;
    }
    list.push(run_json(run));
  }
  return answer(request.http, Json::object({{"runs", std::move(list)}, {"next_page_token", next}}));
}

HttpResponse event_page(const ApiContext& context, const HttpRequest& request) {
  const auto page = context.events.after(request.parameter("after").value_or(""),
                                         std::string(request.parameter("machine").value_or("")), kEventsInAPage);
  if (!page) return problem(400, "INVALID_ARGUMENT", "after is no id of an event");
  Json list = Json::array();
  for (const auto& event : page->events) list.push(event);
  return answer(request, Json::object({{"events", std::move(list)}, {"next", page->next}, {"reset", page->reset}}));
}

HttpResponse events(const ApiContext& context, const HttpRequest& request) {
  const std::string accept(request.header("Accept").value_or(""));
  if (accept.find("text/event-stream") == std::string::npos) return event_page(context, request);
  const auto given = request.header("Last-Event-ID");
  const std::string after(given ? *given : request.parameter("after").value_or(""));
  const std::string machine(request.parameter("machine").value_or(""));
  return {.content_type = "text/event-stream",
          .body = "retry: 3000\n\n",
          .headers = {{"Cache-Control", "no-store"}, {"X-Accel-Buffering", "no"}},
          .stream = [&events = context.events, after, machine](base::HttpStream stream) {
            events.subscribe(std::move(stream), after, machine);
          }};
}

HttpResponse holds(const ApiContext& context, const HttpRequest& request) {
  const auto holds = context.holds.list();
  if (!holds) return problem(holds.error());
  Json list = Json::array();
  for (const auto& hold : *holds) list.push(hold_json(hold));
  return answer(request, Json::object({{"holds", std::move(list)}}));
}

// --- changes ---------------------------------------------------------------

Result<Json> small_body(const HttpRequest& request) {
  auto body = base::parse_json(request.body, {.bytes = 16 * 1024, .depth = 4, .values = 100});
  if (!body) return Error{Code::Invalid, "the body is no JSON: " + body.error().message};
  return std::move(*body);
}

/// The reason in a body like {"reason": "moving the rack"}.
Result<std::string> reason_in(const HttpRequest& request) {
  const auto body = small_body(request);
  if (!body) return body.error();
  const auto reason = (*body)["reason"].as_string();
  if (!reason || body->size() != 1)
    return Error{Code::Invalid, "the body must be an object with \"reason\", and nothing else"};
  return std::string(*reason);
}

void tell(const ApiContext& context, ApiChange change) {
  context.events.publish("change", change.machine,
                         Json::object({{"headline", change.what + " by " + change.by}, {"reason", change.reason}}));
  context.changed(change);
}

/// After a hold was placed or lifted: status is to show it soon.
void look_again(const ApiContext& context, const std::string& machine) {
  if (machine.empty()) {
    context.look_at_all();
  } else {
    context.look_at(machine);
  }
}

HttpResponse place_hold(const ApiContext& context, const HttpRequest& request, const std::string& machine) {
  auto reason = reason_in(request);
  if (!reason) return problem(reason.error());
  const LocalHold hold{
      .machine = machine, .reason = *reason, .by = describe_peer(*request.peer), .since = context.clock.wall()};
  if (auto placed = context.holds.place(hold); !placed) return problem(placed.error());
  tell(context, {.what = "hold", .machine = machine, .by = hold.by, .reason = hold.reason});
  look_again(context, machine);
  return {.content_type = "application/json", .body = hold_json(hold).text() + "\n"};
}

HttpResponse lift_hold(const ApiContext& context, const HttpRequest& request, const std::string& machine) {
  if (auto lifted = context.holds.lift(machine); !lifted) return problem(lifted.error());
  tell(context, {.what = "resume", .machine = machine, .by = describe_peer(*request.peer), .reason = {}});
  look_again(context, machine);
  return {.status = 204};
}

HttpResponse accepted() { return {.status = 202, .content_type = "application/json", .body = "{}\n"}; }

HttpResponse reconcile(const ApiContext& context, const ApiRequest& request) {
  const std::string& name = request.parts.at("machine");
  if (!context.look_at(name)) return no_machine(name);
  tell(context, {.what = "reconcile", .machine = name, .by = describe_peer(*request.http.peer), .reason = {}});
  return accepted();
}

HttpResponse attach(const ApiContext& context, const ApiRequest& request) {
  const std::string& name = request.parts.at("machine");
  if (!context.board.machine(name)) return no_machine(name);
  auto answer = console_attach(context.consoles, name);
  if (answer.status == 200)
    tell(context, {.what = "console", .machine = name, .by = describe_peer(*request.http.peer), .reason = {}});
  return answer;
}

std::string instance_of(const ApiRequest& request) {
  return request.parts.at("tenant") + "/" + request.parts.at("instance");
}

HttpResponse no_host(const std::string& instance) {
  return problem(404, "NOT_FOUND",
                 "no host is configured for an instance \"" + instance +
                     "\": it must run here, and its `configuration` must be \"observe\" or \"enforce\"");
}

HttpResponse hosts(const ApiContext& context, const HttpRequest& request) {
  Json list = Json::array();
  for (auto& host : context.hosts()) {
    Json row = Json::object();
    for (const char* key : {"instance", "machine", "mode", "address", "state", "because", "looked_at", "next_look"}) {
      row.set(key, host[key]);
    }
    list.push(std::move(row));
  }
  return answer(request, Json::object({{"hosts", std::move(list)}}));
}

HttpResponse host(const ApiContext& context, const ApiRequest& request) {
  const std::string instance = instance_of(request);
  const Json host = context.host(instance);
  return host.is_null() ? no_host(instance) : answer(request.http, host);
}

HttpResponse reconcile_host(const ApiContext& context, const ApiRequest& request) {
  const std::string instance = instance_of(request);
  const Json host = context.host(instance);
  if (host.is_null() || !context.look_at_host(instance)) return no_host(instance);
  tell(context, {.what = "reconcile",
                 .machine = std::string(host["machine"].as_string().value_or("")),
                 .by = describe_peer(*request.http.peer),
                 .reason = instance});
  return accepted();
}

HttpResponse confirm(const ApiContext& context, const HttpRequest& request) {
  const auto body = small_body(request);
  if (!body) return problem(body.error());
  const auto commit = (*body)["commit"].as_string();
  const auto reason = (*body)["reason"].as_string();
  if (!commit || !reason || body->size() != 2) {
    return problem(400, "INVALID_ARGUMENT", "the body must be an object with \"commit\" and \"reason\"");
  }
  if (auto confirmed = context.confirm(std::string(*commit)); !confirmed) return problem(confirmed.error());
  tell(context, {.what = "confirm",
                 .machine = {},
                 .by = describe_peer(*request.peer),
                 .reason = std::string(*commit) + ": " + std::string(*reason)});
  return accepted();
}

/// Only on the control socket, and only for whom the configuration admits.
std::function<HttpResponse(const ApiRequest&)> guarded(const ApiContext& context,
                                                       std::function<HttpResponse(const ApiRequest&)> handler) {
  return [&peers = context.peers, handler = std::move(handler)](const ApiRequest& request) {
    if (!request.http.peer) return problem(403, "PERMISSION_DENIED", "changes are accepted on the control socket only");
    if (!peers.may_change(*request.http.peer)) {
      return problem(
          403, "PERMISSION_DENIED",
          describe_peer(*request.http.peer) + " is not among control.users and control.groups of nimbusd.toml");
    }
    return handler(request);
  };
}

}  // namespace

std::vector<ApiRoute> reading_routes(const ApiContext& c) {
  return {
      {"GET", "/version",
       [](const ApiRequest& r) {
         return answer(r.http, Json::object({{"version", NIMBUS_VERSION}}));
       }},
      {"GET", "/openapi.json",
       [](const ApiRequest&) {
         return HttpResponse{.content_type = "application/json", .body = std::string(openapi_text())};
       }},
      {"GET", "/v1/fleet", [c](const ApiRequest& r) { return fleet(c, r.http); }},
      {"GET", "/v1/machines", [c](const ApiRequest& r) { return machines(c, r.http); }},
      {"GET", "/v1/machines/{machine}", [c](const ApiRequest& r) { return machine(c, r); }},
      {"GET", "/v1/machines/{machine}/journal", [c](const ApiRequest& r) { return journal(c, r); }},
      {"GET", "/v1/hosts", [c](const ApiRequest& r) { return hosts(c, r.http); }},
      {"GET", "/v1/instances/{tenant}/{instance}/configuration", [c](const ApiRequest& r) { return host(c, r); }},
      {"GET", "/v1/events", [c](const ApiRequest& r) { return events(c, r.http); }},
      {"GET", "/v1/holds", [c](const ApiRequest& r) { return holds(c, r.http); }},
  };
}

std::vector<ApiRoute> changing_routes(const ApiContext& c) {
  return {
      {"POST", "/v1/machines/{machine}:reconcile", guarded(c, [c](const ApiRequest& r) { return reconcile(c, r); })},
      {"POST", "/v1/machines/{machine}:attach", guarded(c, [c](const ApiRequest& r) { return attach(c, r); })},
      {"POST", "/v1/machines/{machine}:console",
       guarded(c, [c](const ApiRequest& r) { return console_read(c.consoles, r); })},
      {"POST", "/v1/machines/{machine}:type",
       guarded(c, [c](const ApiRequest& r) { return console_type(c.consoles, r); })},
      {"POST", "/v1/instances/{tenant}/{instance}:reconcile",
       guarded(c, [c](const ApiRequest& r) { return reconcile_host(c, r); })},
      {"POST", "/v1/registry:fetch",
       guarded(c,
               [c](const ApiRequest& r) {
                 tell(c, {.what = "fetch", .machine = {}, .by = describe_peer(*r.http.peer), .reason = {}});
                 c.fetch_now();
                 return accepted();
               })},
      {"POST", "/v1/registry:confirm", guarded(c, [c](const ApiRequest& r) { return confirm(c, r.http); })},
      {"PUT", "/v1/holds/all", guarded(c, [c](const ApiRequest& r) { return place_hold(c, r.http, ""); })},
      {"DELETE", "/v1/holds/all", guarded(c, [c](const ApiRequest& r) { return lift_hold(c, r.http, ""); })},
      {"PUT", "/v1/holds/machines/{machine}",
       guarded(c, [c](const ApiRequest& r) { return place_hold(c, r.http, r.parts.at("machine")); })},
      {"DELETE", "/v1/holds/machines/{machine}",
       guarded(c, [c](const ApiRequest& r) { return lift_hold(c, r.http, r.parts.at("machine")); })},
  };
}

}  // namespace nimbus::controller
