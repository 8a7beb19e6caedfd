// nimbusd as nimbusctl sees it: JSON in, JSON out, over its control socket.
// Errors: those of LocalClient; NotFound, Invalid, Conflict, Untrusted (not allowed to
// change anything), Internal, by what nimbusd answers. Thread rule: one thread.
#pragma once

#include <functional>
#include <string>
#include <string_view>

#include "base/http/local_client.hpp"
#include "base/json/json.hpp"
#include "cli/context.hpp"

namespace nimbus::cli {

class Nimbusd {
 public:
  /// --server, its variable or setting; else the control socket of the service.
  static Result<Nimbusd> of(const Context& context);

  Result<base::Json> get(const std::string& target) const;
  /// Nothing for an answer without a body.
  Result<base::Json> change(const std::string& method, const std::string& target, const base::Json& body = {}) const;
  /// Each event as it comes, until the connection ends or `event` says false. `after`
  /// empty: only what comes.
  Result<> events(const std::string& after, const std::string& machine,
                  const std::function<bool(const base::Json&)>& event) const;

  /// All items of a list, page after page.
  Result<std::vector<base::Json>> all(const std::string& target, const std::string& member) const;

 private:
  explicit Nimbusd(base::LocalClient client) : client_(std::move(client)) {}
  Result<base::Json> send(const base::LocalRequest& request) const;
  base::LocalClient client_;
};

/// Prints the error and what to do about it; its exit code.
Exit fail_live(Context& context, const Error& error);

/// "berlin-1/m017" or "m017" -> "m017". Errors: Invalid (no machine's name).
Result<std::string> machine_name(const std::string& text);

}  // namespace nimbus::cli
