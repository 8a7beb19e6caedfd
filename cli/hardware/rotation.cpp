#include "cli/hardware/rotation.hpp"

#include <fcntl.h>
#include <sys/file.h>
#include <sys/stat.h>
#include <unistd.h>

#include <algorithm>
#include <array>

#include "base/crypto/crypto.hpp"
#include "base/file/file.hpp"
#include "cli/hardware/open_bmc.hpp"
#include "core/ports/bmc_manage.hpp"

namespace nimbus::cli {
namespace {

using base::StoredSecret;

constexpr std::size_t kMostUsername = 16;     // IPMI 2.0, 22.28
constexpr std::size_t kPasswordLetters = 16;  // what IPMI 1.5 keeps: every BMC takes it

Secret random_password() {
  // No letters that are mistaken for each other; 57^16 is more than 2^93.
  static constexpr std::string_view kLetters = "ABCDEFGHJKLMNPQRSTUVWXYZabcdefghijkmnopqrstuvwxyz23456789";
  while (true) {
    std::string text;
    while (text.size() < kPasswordLetters) {
      std::array<std::uint8_t, 1> byte{};
      base::random_bytes(byte);
      if (byte[0] < 4 * kLetters.size()) text += kLetters[byte[0] % kLetters.size()];
    }
    // Many BMCs want one of each.
    const bool has_all = text.find_first_of("ABCDEFGHJKLMNPQRSTUVWXYZ") != std::string::npos &&
                         text.find_first_of("abcdefghijkmnopqrstuvwxyz") != std::string::npos &&
                         text.find_first_of("23456789") != std::string::npos;
    if (has_all) return Secret(std::move(text));
  }
}

/// Held until this goes, or the process ends however it does.
class Lock {
 public:
  explicit Lock(std::string path)
      : path_(std::move(path)), descriptor_(::open(path_.c_str(), O_RDWR | O_CREAT | O_CLOEXEC, 0600)) {
    is_held_ = descriptor_ >= 0 && ::flock(descriptor_, LOCK_EX | LOCK_NB) == 0 && is_the_file();
  }
  ~Lock() {
    if (is_held_) (void)::unlink(path_.c_str());
    if (descriptor_ >= 0) ::close(descriptor_);
  }
  Lock(const Lock&) = delete;
  Lock& operator=(const Lock&) = delete;
  bool is_held() const noexcept { return is_held_; }

 private:
  /// Not one that its holder removed meanwhile.
  bool is_the_file() const noexcept {
    struct stat held {};
    struct stat there {};
    return ::fstat(descriptor_, &held) == 0 && ::stat(path_.c_str(), &there) == 0 && held.st_ino == there.st_ino;
  }

  std::string path_;
  int descriptor_;
  bool is_held_ = false;
};

struct Files {
  std::string now, next, old;
};

Result<std::optional<StoredSecret>> read_if_there(const std::string& path) {
  auto stored = base::read_secret_file(path);
  if (stored) return std::optional(std::move(*stored));
  if (stored.error().code == Code::NotFound) return std::optional<StoredSecret>();
  return std::move(stored.error());
}

bool is_same_login(const Credential& a, const Credential& b) {
  return a.username == b.username && a.password == b.password;
}

/// An identified session on the BMC, for writes.
Result<OpenBmc> open(const RotationPlan& plan, const Credential& credential, const Call& call) {
  auto attached = plan.attach(credential);
  if (!attached) return std::move(attached.error());
  OpenBmc bmc(std::move(*attached), plan.clock);
  auto identity = bmc->identity()->identity(call);
  if (!identity) return std::move(identity.error());
  if (!plan.declared.empty()) {
    const auto match = match_identity(plan.declared, *identity);
    if (match.verdict != IdentityMatch::Verdict::Matches) return Error{Code::Untrusted, match.reason};
  }
  if (bmc->accounts() == nullptr) return Error{Code::Unsupported, "this BMC's accounts cannot be changed from here"};
  return bmc;
}

Result<> prove(const RotationPlan& plan, const Credential& next, const Call& call) {
  auto bmc = open(plan, next, call);
  if (!bmc) return std::move(bmc.error()).with("while logging in with the new account");
  auto seen = (*bmc)->accounts()->accounts(call);
  if (!seen) return std::move(seen.error()).with("while looking at accounts with the new one");
  return {};
}

Result<> disable_old(const RotationPlan& plan, const Credential& now, const Credential& old, const Call& call) {
  if (old.username == now.username) return {};
  auto bmc = open(plan, now, call);
  if (!bmc) return std::move(bmc.error());
  const auto all = (*bmc)->accounts()->accounts(call);
  if (!all) return all.error();
  for (const auto& account : *all) {
    if (account.name != old.username) continue;
    auto done = (*bmc)->accounts()->disable_account(account, call);
    if (!done) return std::move(done.error()).with("while disabling the old account");
    if (*done == WriteOutcome::Unknown)
      return Error{Code::Timeout, "nobody knows whether the old account is disabled; run this again"};
  }
  return {};
}

/// What runs that were ended while they wrote a file have left beside it.
void sweep(const Files& files) {
  constexpr std::size_t kSuffix = 7;  // ".XXXXXX" of mkstemp
  const std::string folder = files.now.substr(0, files.now.rfind('/'));
  const auto entries = base::list_folder(folder);
  if (!entries) return;
  for (const auto& entry : *entries) {
    const std::string path = folder + "/" + entry.name;
    if (entry.kind != base::FolderEntry::Kind::File || path.size() <= kSuffix) continue;
    const std::string_view whole = std::string_view(path).substr(0, path.size() - kSuffix);
    const bool is_ours = whole == files.now || whole == files.next || whole == files.old;
    if (is_ours && path[whole.size()] == '.') (void)::unlink(path.c_str());
  }
}

/// A secret that other machines use too would lock them out.
Result<> check_alone(const RotationPlan& plan, const StoredSecret& stored) {
  const auto wanted = base::parse_destination(plan.address);
  for (const auto& entry : stored.allow) {
    if (base::parse_destination(entry).host == wanted.host) continue;
    return Error{Code::Invalid, "the secret may also be sent to " + entry +
                                    "; give this BMC a secret of its own first, with "
                                    "'nimbusctl secret set' and `credentials` in its file"};
  }
  if (base::is_allowed_destination(plan.address, stored.allow)) return {};
  return Error{Code::Untrusted, "the secret may not be sent to " + plan.address};
}

/// The new credential, stored before the BMC gets it. Nothing is stored for a BMC whose accounts
/// cannot be seen, nor under a name that somebody else logs in with: ours was disabled.
Result<StoredSecret> next_secret(OpenBmc& bmc, const Files& files, const StoredSecret& now, const Call& call) {
  auto stored = read_if_there(files.next);
  if (!stored) return std::move(stored.error());
  if (*stored) return std::move(**stored);
  const auto seen = bmc->accounts()->accounts(call);
  if (!seen) return seen.error();
  StoredSecret fresh = now;
  fresh.credential.username = next_username(now.credential.username);
  const bool taken = std::any_of(seen->begin(), seen->end(), [&](const Account& account) {
    return account.enabled && account.name == fresh.credential.username;
  });
  if (taken)
    return Error{Code::Conflict, "the BMC has an account '" + fresh.credential.username +
                                     "' that is in use; disable it first if nobody needs it"};
  fresh.credential.password = random_password();
  if (auto written = base::write_secret_file(files.next, fresh); !written) return std::move(written.error());
  return fresh;
}

/// From the first step, or wherever an earlier run was ended, to the new secret.
Result<> renew(const RotationPlan& plan, const Files& files, const StoredSecret& now, const Call& call) {
  auto bmc = open(plan, now.credential, call);
  if (!bmc) return std::move(bmc.error());
  const auto next = next_secret(*bmc, files, now, call);
  if (!next) return next.error();
  auto made = (*bmc)->accounts()->put_account(next->credential.username, next->credential.password,
                                              AccountRole::Administrator, call);
  if (!made) return std::move(made.error());
  bmc->close();
  plan.say("the account " + next->credential.username + " is made");
  if (auto proven = prove(plan, next->credential, call); !proven) return proven;
  if (auto written = base::write_secret_file(files.old, now); !written) return written;
  if (auto written = base::write_secret_file(files.now, *next); !written) return written;
  plan.say("the secret holds it");
  return {};
}

}  // namespace

std::string next_username(const std::string& username) {
  std::string base = username;
  char letter = 'a';
  if (base.ends_with("-a") || base.ends_with("-b")) {
    letter = base.back() == 'a' ? 'b' : 'a';
    base.resize(base.size() - 2);
  }
  base.resize(std::min(base.size(), kMostUsername - 2));
  return base + "-" + letter;
}

Result<> rotate(const RotationPlan& plan, const Call& call) {
  const std::string stem = plan.path.substr(0, plan.path.size() - std::string_view(".toml").size());
  const Files files{.now = plan.path, .next = stem + "-next.toml", .old = stem + "-old.toml"};
  const Lock lock(stem + ".lock");
  if (!lock.is_held())
    return Error{Code::Conflict, "another rotation of this secret runs, or its folder cannot be written"};
  sweep(files);
  auto now = base::read_secret_file(files.now);
  if (!now) return std::move(now.error());
  if (auto alone = check_alone(plan, *now); !alone) return alone;

  auto old = read_if_there(files.old);
  if (!old) return std::move(old.error());
  // The old one is written just before the new one takes its place.
  const bool is_renewed = *old && !is_same_login((*old)->credential, now->credential);
  if (!is_renewed) {
    if (auto done = renew(plan, files, *now, call); !done) return done;
    old = std::optional(*now);
    now = base::read_secret_file(files.now);
    if (!now) return std::move(now.error());
  }
  if (auto done = disable_old(plan, now->credential, (*old)->credential, call); !done) return done;
  plan.say("the account " + (*old)->credential.username + " is disabled");
  for (const auto& path : {files.next, files.old}) (void)::unlink(path.c_str());
  return {};
}

}  // namespace nimbus::cli
