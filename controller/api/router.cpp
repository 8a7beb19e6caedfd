#include "controller/api/router.hpp"

#include <algorithm>
#include <memory>

#include "controller/api/answer.hpp"

namespace nimbus::controller {
namespace {

using base::HttpRequest;
using base::HttpResponse;

/// Up to the first part in braces, without the slash before it.
std::string fixed_start(const std::string& pattern) {
  const auto brace = pattern.find('{');
  return brace == std::string::npos ? pattern : pattern.substr(0, brace - 1);
}

std::string_view next_segment(std::string_view& rest) {
  if (rest.starts_with('/')) rest.remove_prefix(1);
  const std::string_view segment = rest.substr(0, rest.find('/'));
  rest.remove_prefix(segment.size());
  return segment;
}

using RouteTable = std::vector<ApiRoute>;

HttpResponse call(const ApiRoute& route, const HttpRequest& request, std::map<std::string, std::string> parts,
                  const Clock& clock, const RouteObserver& observer) {
  const MonoTime started = clock.now();
  HttpResponse response = route.handler({request, std::move(parts)});
  observer(route, response.status, clock.now() - started);
  return response;
}

HttpResponse dispatch(const RouteTable& table, const HttpRequest& request, const Clock& clock,
                      const RouteObserver& observer) {
  std::string allowed;
  for (const auto& route : table) {
    auto parts = match_path(route.path, request.path);
    if (!parts) continue;
    if (route.method == request.method || (route.method == "GET" && request.method == "HEAD")) {
      return call(route, request, std::move(*parts), clock, observer);
    }
    allowed += (allowed.empty() ? "" : ", ") + route.method;
  }
  if (allowed.empty()) return problem(404, "NOT_FOUND", "no such path");
  HttpResponse response = problem(405, "METHOD_NOT_ALLOWED", "method not allowed here");
  response.headers.push_back({"Allow", allowed});
  return response;
}

}  // namespace

std::optional<std::map<std::string, std::string>> match_path(const std::string& pattern, const std::string& path) {
  std::map<std::string, std::string> parts;
  std::string_view wanted = pattern;
  std::string_view given = path;
  while (!wanted.empty()) {
    if (given.empty()) return std::nullopt;
    const std::string_view segment = next_segment(wanted);
    std::string_view text = next_segment(given);
    if (!segment.starts_with('{')) {
      if (segment != text) return std::nullopt;
      continue;
    }
    const auto close = segment.find('}');
    const std::string_view verb = segment.substr(close + 1);  // ":reconcile", or nothing
    if (!text.ends_with(verb)) return std::nullopt;
    text.remove_suffix(verb.size());
    if (text.empty() || text.find(':') != std::string_view::npos) return std::nullopt;
    parts[std::string(segment.substr(1, close - 1))] = text;
  }
  if (!given.empty()) return std::nullopt;
  return parts;
}

std::vector<base::HttpRoute> to_http_routes(std::vector<ApiRoute> routes, const Clock& clock, RouteObserver observer) {
  struct Shared {
    RouteTable table;
    const Clock& clock;
    RouteObserver observer;
  };
  const auto shared = std::make_shared<const Shared>(Shared{std::move(routes), clock, std::move(observer)});
  std::vector<base::HttpRoute> out;
  for (const auto& route : shared->table) {
    const std::string start = fixed_start(route.path);
    const auto match = start == route.path ? base::PathMatch::Exact : base::PathMatch::Prefix;
    const bool known = std::ranges::any_of(out, [&](const base::HttpRoute& other) {
      return other.path == start && other.method == route.method && other.match == match;
    });
    if (known) continue;
    out.push_back({.method = route.method,
                   .path = start,
                   .handler =
                       [shared](const HttpRequest& request) {
                         return dispatch(shared->table, request, shared->clock, shared->observer);
                       },
                   .match = match});
  }
  return out;
}

}  // namespace nimbus::controller
