// nimbusctl instance console: the serial line of the instance's machine, through its BMC,
// or through nimbusd while that records it: a BMC has one console to give.
#include <poll.h>
#include <termios.h>
#include <unistd.h>

#include <array>
#include <csignal>
#include <memory>
#include <thread>

#include "base/text/text.hpp"
#include "cli/hardware/credentials.hpp"
#include "cli/instance/commands.hpp"
#include "cli/instance/common.hpp"
#include "cli/instance/escape.hpp"
#include "cli/live/nimbusd.hpp"
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

/// The console that nimbusd has, looked at every now and then.
class SharedConsole final : public ConsoleSession {
 public:
  SharedConsole(Nimbusd nimbusd, std::string machine, std::int64_t after, const Clock& clock)
      : nimbusd_(std::move(nimbusd)), path_("/v1/machines/" + std::move(machine)), after_(after), clock_(clock) {}

  Result<std::string> read(const Call& call) override {
    if (clock_.now() < next_look_) {
      std::this_thread::sleep_until(std::min(next_look_, call.deadline));
      if (clock_.now() < next_look_) return Error{Code::Timeout, "nothing came"};
    }
    next_look_ = clock_.now() + kLook;
    auto piece = nimbusd_.change("POST", path_ + ":console", base::Json::object({{"after", after_}}));
    if (!piece) return over(std::move(piece.error()));
    const auto bytes = base::from_base64((*piece)["base64"].as_string().value_or(""));
    const auto next = (*piece)["next"].as_int();
    if (!bytes || !next) return Error{Code::Corrupt, "nimbusd's answer makes no sense"};
    after_ = *next;
    if (bytes->empty()) return Error{Code::Timeout, "nothing came"};
    next_look_ = clock_.now();  // there may be more
    return std::string(bytes->begin(), bytes->end());
  }

  Result<void> write(std::string_view bytes, const Call&) override {
    const auto text = base::to_base64({reinterpret_cast<const std::uint8_t*>(bytes.data()), bytes.size()});
    auto typed = nimbusd_.change("POST", path_ + ":type", base::Json::object({{"base64", text}}));
    if (!typed) return over(std::move(typed.error()));
    return {};
  }

  Result<void> send_break(const Call&) override { return Error{Code::Unsupported, "not through nimbusd"}; }
  void close(const Call&) noexcept override {}

 private:
  static constexpr auto kLook = 200ms;

  static Error over(Error error) {
    if (error.code == Code::NotFound) error.message = "nimbusd has given the console back; the same command takes it";
    return error;
  }

  Nimbusd nimbusd_;
  const std::string path_;
  std::int64_t after_;
  const Clock& clock_;
  MonoTime next_look_{};
};

/// Null: nimbusd is not here, does not record this machine, or says that we may not.
std::unique_ptr<ConsoleSession> shared_console(const Context& context, const std::string& machine) {
  auto nimbusd = Nimbusd::of(context);
  if (!nimbusd) return nullptr;
  const auto attached = nimbusd->change("POST", "/v1/machines/" + machine + ":attach");
  const auto after = attached ? (*attached)["after"].as_int() : std::nullopt;
  if (!after) return nullptr;
  return std::make_unique<SharedConsole>(std::move(*nimbusd), machine, *after, context.clock);
}

Result<std::string> machine_name_of(const Opened& opened) {
  const std::string id = opened.name.id();
  const auto* document = opened.fleet.document(id);
  const std::string machine = document == nullptr ? std::string() : text_at(*document, "machine");
  if (machine.empty()) return Error{Code::NotFound, id + " has no machine yet"};
  return machine_name(machine);
}

Result<BmcEndpoint> endpoint_of(const Opened& opened, const std::string& machine) {
  const auto* entry = registry::find_machine(*opened.loaded.result.snapshot, opened.provider, machine);
  if (entry == nullptr || entry->value.bmc.address.empty())
    return Error{Code::NotFound, "no usable file of machine " + base::printable(machine, 100) + " in this registry"};
  return entry->value.bmc;
}

Result<> talk(Context& context, ConsoleSession& session) {
  context.console.hint("Connected; ~. at the beginning of a line ends it.\r\n");
  const RawTerminal raw;
  return SerialTalk(context, session).run();
}

}  // namespace

Exit run_instance_console(Context& context) {
  (void)std::signal(SIGPIPE, SIG_IGN);
  auto opened = open_instance(context, context.args.text("INSTANCE"));
  if (!opened) return fail(context, opened.error());
  if (opened->entry == nullptr) return fail(context, no_such_instance(*opened));
  const auto machine = machine_name_of(*opened);
  if (!machine) return fail(context, machine.error());
  if (auto shared = shared_console(context, *machine); shared) {
    context.console.hint("nimbusd records this console; you share it.\n");
    const auto done = talk(context, *shared);
    return done ? Exit::Ok : fail(context, done.error());
  }
  auto endpoint = endpoint_of(*opened, *machine);
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
  const auto done = talk(context, **session);
  const Call last{.deadline = context.clock.now() + kClose};
  (*session)->close(last);
  session->reset();
  (*bmc)->close(last);
  return done ? Exit::Ok : fail(context, done.error());
}

}  // namespace nimbus::cli
