// nimbusctl instance console: the serial line of the instance's machine, through its BMC.
#include <poll.h>
#include <termios.h>
#include <unistd.h>

#include <array>
#include <csignal>
#include <memory>

#include "base/text/text.hpp"
#include "cli/hardware/credentials.hpp"
#include "cli/instance/commands.hpp"
#include "cli/instance/common.hpp"
#include "cli/instance/escape.hpp"
#include "core/ports/bmc_console.hpp"
#include "drivers/drivers.hpp"

namespace nimbus::cli {
namespace {

using namespace std::chrono_literals;
constexpr auto kOpen = 30s, kWrite = 10s, kClose = 2s;
constexpr auto kTurn = 50ms;  // between looks at the keyboard
constexpr auto kQuiet = 1s;   // after the end of piped input: no more output is to come

/// Keys go through one by one, Ctrl-C too; as it was when this goes.
class RawTerminal {
 public:
  RawTerminal() {
    if (::tcgetattr(STDIN_FILENO, &before_) != 0) return;
    raw_ = true;
    termios now = before_;
    ::cfmakeraw(&now);
    ::tcsetattr(STDIN_FILENO, TCSADRAIN, &now);
  }
  RawTerminal(const RawTerminal&) = delete;
  RawTerminal& operator=(const RawTerminal&) = delete;
  ~RawTerminal() {
    if (raw_) ::tcsetattr(STDIN_FILENO, TCSADRAIN, &before_);
  }

 private:
  termios before_{};
  bool raw_ = false;
};

class SerialTalk {
 public:
  SerialTalk(Context& context, ConsoleSession& session) : context_(context), session_(session) {}

  Result<> run() {
    auto heard = context_.clock.now();
    while (true) {
      auto got = session_.read(call(kTurn));
      if (got) {
        heard = context_.clock.now();
        context_.console.out(*got);
        if (!context_.console.flush()) return {};
      } else if (got.error().code != Code::Timeout) {
        return std::move(got.error());
      }
      if (!input_) {
        if (context_.clock.now() - heard > kQuiet) return {};
        continue;
      }
      if (auto typed = keyboard(); !typed || ends_) return typed;
      if (!input_) heard = context_.clock.now();
    }
  }

 private:
  Call call(std::chrono::milliseconds time) const { return {.deadline = context_.clock.now() + time}; }

  Result<> keyboard() {
    pollfd item{STDIN_FILENO, POLLIN, 0};
    if (::poll(&item, 1, 0) <= 0) return {};
    std::array<char, 256> buffer{};
    const auto count = ::read(STDIN_FILENO, buffer.data(), buffer.size());
    if (count <= 0) {
      input_ = false;
      return {};
    }
    const auto keys = escape_.take({buffer.data(), static_cast<std::size_t>(count)});
    ends_ = keys.ends;
    if (keys.send.empty()) return {};
    return session_.write(keys.send, call(kWrite));
  }

  Context& context_;
  ConsoleSession& session_;
  Escape escape_;
  bool input_ = true;
  bool ends_ = false;
};

Result<BmcEndpoint> endpoint_of(const Opened& opened) {
  const std::string id = opened.name.id();
  const auto* document = opened.fleet.document(id);
  const std::string machine = document == nullptr ? std::string() : text_at(*document, "machine");
  if (machine.empty()) return Error{Code::NotFound, id + " has no machine yet"};
  const auto* entry = registry::find_machine(*opened.loaded.result.snapshot, opened.provider, machine);
  if (entry == nullptr || entry->value.bmc.address.empty())
    return Error{Code::NotFound, "no usable file of machine " + base::printable(machine, 100) + " in this registry"};
  return entry->value.bmc;
}

}  // namespace

Exit run_instance_console(Context& context) {
  (void)std::signal(SIGPIPE, SIG_IGN);
  auto opened = open_instance(context, context.args.text("INSTANCE"));
  if (!opened) return fail(context, opened.error());
  if (opened->entry == nullptr) return fail(context, no_such_instance(*opened));
  auto endpoint = endpoint_of(*opened);
  if (!endpoint) return fail(context, endpoint.error());
  std::vector<std::string> names;
  const auto secrets = command_secrets(context, names);
  if (!secrets) return fail(context, secrets.error());
  if (!names.empty()) endpoint->credentials = names;
  auto drivers = drivers::make_drivers({}, context.clock);
  if (!drivers) return fail(context, drivers.error());
  auto bmc = drivers->attach(*endpoint, *secrets);
  if (!bmc) return fail(context, bmc.error());
  auto* console = (*bmc)->console();
  if (console == nullptr)
    return fail(context, {Code::Unsupported, "the console of this BMC (driver " + endpoint->driver +
                                                 ") is not reached from here: only that of driver ipmi"});
  auto session = console->open_console({.deadline = context.clock.now() + kOpen});
  if (!session) return fail(context, session.error());
  context.console.hint("Connected; ~. at the beginning of a line ends it.\r\n");
  const auto done = [&] {
    const RawTerminal raw;
    return SerialTalk(context, **session).run();
  }();
  const Call last{.deadline = context.clock.now() + kClose};
  (*session)->close(last);
  session->reset();
  (*bmc)->close(last);
  return done ? Exit::Ok : fail(context, done.error());
}

}  // namespace nimbus::cli
