#include "cli/hardware/credentials.hpp"

#include <fcntl.h>
#include <termios.h>
#include <unistd.h>

#include <algorithm>
#include <array>
#include <csignal>

#include "base/process/self.hpp"
#include "base/text/text.hpp"

namespace nimbus::cli {
namespace {

constexpr std::size_t kMostLine = 1024;

constexpr std::array<FactoryLogin, 9> kFactory = {{{"Dell", "root", "calvin"},
                                                   {"Supermicro", "ADMIN", "ADMIN"},
                                                   {"Lenovo", "USERID", "PASSW0RD"},
                                                   {"OpenBMC", "root", "0penBmc"},
                                                   {"AMI", "admin", "admin"},
                                                   {"American Megatrends", "admin", "admin"},
                                                   {"Cisco", "admin", "password"},
                                                   {"Huawei", "Administrator", "Admin@9000"},
                                                   {"Intel", "admin", "admin"}}};

volatile std::sig_atomic_t ended_by = 0;

void remember(int number) { ended_by = number; }

/// A terminal that does not show what is typed, until this goes: also by Ctrl-C, which would
/// otherwise leave a terminal that shows nothing. The signal takes its effect afterwards.
class Hidden {
 public:
  explicit Hidden(int terminal) : terminal_(terminal) {
    if (::tcgetattr(terminal_, &before_) != 0) return;
    ended_by = 0;
    struct sigaction note {};
    note.sa_handler = remember;  // without SA_RESTART: reading ends
    for (std::size_t i = 0; i < kEnding.size(); ++i) {
      ::sigaction(kEnding[i], nullptr, &handled_[i]);
      if (handled_[i].sa_handler != SIG_IGN) ::sigaction(kEnding[i], &note, nullptr);
    }
    termios silent = before_;
    silent.c_lflag &= ~static_cast<tcflag_t>(ECHO);
    ::tcsetattr(terminal_, TCSAFLUSH, &silent);
    changed_ = true;
  }
  ~Hidden() {
    if (!changed_) return;
    ::tcsetattr(terminal_, TCSAFLUSH, &before_);
    (void)!::write(terminal_, "\n", 1);
    for (std::size_t i = 0; i < kEnding.size(); ++i) ::sigaction(kEnding[i], &handled_[i], nullptr);
    if (ended_by != 0) (void)std::raise(ended_by);
  }
  Hidden(const Hidden&) = delete;
  Hidden& operator=(const Hidden&) = delete;

 private:
  static constexpr std::array<int, 4> kEnding = {SIGINT, SIGTERM, SIGHUP, SIGQUIT};
  int terminal_;
  termios before_{};
  std::array<struct sigaction, kEnding.size()> handled_{};
  bool changed_ = false;
};

/// Byte by byte: what comes after the line is for the next question.
Result<std::string> read_line(int descriptor) {
  std::string line;
  char byte = 0;
  while (true) {
    const auto got = ::read(descriptor, &byte, 1);
    if (got < 0 && errno == EINTR && ended_by == 0) continue;
    if (got <= 0 || byte == '\n') break;
    line += byte;
    if (line.size() > kMostLine) return Error{Code::Invalid, "the line is too long"};
  }
  if (line.ends_with('\r')) line.pop_back();
  if (line.empty()) return Error{Code::Invalid, "nothing was typed"};
  return line;
}

Result<std::string> ask(const std::string& what, bool is_hidden) {
  const int terminal = ::isatty(STDIN_FILENO) != 0 ? ::open("/dev/tty", O_RDWR | O_CLOEXEC) : -1;
  if (terminal < 0) return read_line(STDIN_FILENO);
  const std::string question = what + ": ";
  (void)!::write(terminal, question.data(), question.size());
  Result<std::string> line = Error{};
  if (is_hidden) {
    const Hidden hidden(terminal);
    line = read_line(terminal);
  } else {
    line = read_line(terminal);
  }
  ::close(terminal);
  return line;
}

bool is_path(const std::string& source) { return source.starts_with('/') || source.starts_with('.'); }

}  // namespace

Result<Secret> ask_password(const std::string& what) {
  auto line = ask(what, true);
  if (!line) return std::move(line.error()).with("while asking for a password");
  return Secret(std::move(*line));
}

Result<std::string> CommandSecrets::add(const std::string& source) {
  if (source == "prompt") {
    auto user = ask("User", false);
    if (!user) return std::move(user.error()).with("while asking for a user name");
    auto password = ask_password("Password");
    if (!password) return std::move(password.error());
    given_[source] = {.credential = {.name = source, .username = *user, .password = std::move(*password), .k_g = {}},
                      .allow = {}};
    return source;
  }
  if (!is_path(source)) return source;
  auto stored = base::read_secret_file(source);
  if (!stored) return std::move(stored.error()).with("while reading credentials");
  stored->credential.name = source;
  given_[source] = std::move(*stored);
  return source;
}

Result<Credential> CommandSecrets::credential(std::string_view name, std::string_view destination) const {
  const auto given = given_.find(name);
  if (given == given_.end()) return stored_.credential(name, destination);
  const auto& [credential, allow] = given->second;
  if (name != "prompt" && !base::is_allowed_destination(destination, allow))
    return Error{Code::Untrusted, std::string(name) + " may not be sent to " + std::string(destination) +
                                      ": its `allow` does not list that address"};
  return credential;
}

Result<CommandSecrets> command_secrets(Context& context, std::vector<std::string>& names) {
  base::keep_memory_private();
  CommandSecrets secrets(context.args.text("secrets"));
  for (const auto& source : context.args.all("credentials")) {
    auto name = secrets.add(source);
    if (!name) return std::move(name.error());
    names.push_back(std::move(*name));
  }
  return secrets;
}

std::vector<FactoryLogin> factory_logins(std::string_view vendor) {
  std::vector<FactoryLogin> out;
  for (const auto& login : kFactory) {
    if (base::equals_ignoring_case(vendor.substr(0, login.vendor.size()), login.vendor)) out.push_back(login);
  }
  return out;
}

std::string factory_vendor(const Credential& credential) {
  const auto found = std::find_if(kFactory.begin(), kFactory.end(), [&](const FactoryLogin& login) {
    return credential.username == login.username && credential.password.reveal() == login.password;
  });
  return found == kFactory.end() ? "" : std::string(found->vendor);
}

}  // namespace nimbus::cli
