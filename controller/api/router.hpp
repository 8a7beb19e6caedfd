// A table of routes with named parts ("/v1/machines/{machine}:reconcile"), served as
// HttpServer's routes. Thread rule: plain values; handlers run on several threads.
#pragma once

#include <functional>
#include <map>
#include <string>
#include <vector>

#include "base/http/server.hpp"
#include "core/ports/clock.hpp"

namespace nimbus::controller {

struct ApiRequest {
  const base::HttpRequest& http;
  std::map<std::string, std::string> parts;  // by the names in braces; never empty text
};

struct ApiRoute {
  std::string method;
  std::string path;  // a part in braces takes one segment, or its start before ":verb"
  std::function<base::HttpResponse(const ApiRequest&)> handler;
};

/// The parts of `path`, if it is one of `pattern`.
std::optional<std::map<std::string, std::string>> match_path(const std::string& pattern, const std::string& path);

/// After each answer: the route's own path (never the client's text) and the status.
using RouteObserver = std::function<void(const ApiRoute&, int status, std::chrono::nanoseconds took)>;

/// `clock` must outlive the server.
std::vector<base::HttpRoute> to_http_routes(std::vector<ApiRoute> routes, const Clock& clock, RouteObserver observer);

}  // namespace nimbus::controller
