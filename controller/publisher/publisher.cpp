#include "controller/publisher/publisher.hpp"

#include <utility>

#include "controller/publisher/branch.hpp"

namespace nimbus::controller {
namespace {

using registry::ControllerStatus;
using registry::GitRepository;
using registry::ObjectId;

const std::string kControllerPath{registry::kControllerStatusPath};

std::string short_id(const ObjectId& id) { return id.substr(0, 12); }

std::string controller_story(const ControllerStatus& status) {
  std::string out = "registry: " + std::string(to_string(status.state));
  if (!status.observed_commit.empty()) out += " " + short_id(status.observed_commit);
  const auto n = status.problems.size();
  if (n > 0) out += " (" + std::to_string(n) + (n == 1 ? " problem)" : " problems)");
  return out;
}

/// Keeps the tip's objects from being packed away. What was pushed is pushed, so a
/// failure here is none: the next tip moves the reference, and gc leaves what is young.
void remember_tip(GitRepository& repository, const ObjectId& tip) {
  const auto known = repository.resolve(Publisher::kTip);
  if (known && *known != tip) (void)repository.move_reference(Publisher::kTip, tip, *known);
}

}  // namespace

Publisher::Publisher(PublisherOptions options, registry::GitTransport& transport, const Clock& clock,
                     registry::CommitSigner* signer)
    : options_(std::move(options)), transport_(transport), clock_(clock), signer_(signer) {}

void Publisher::place(registry::GitRemote remote, std::string branch) {
  const std::lock_guard lock(flushing_);
  options_.remote = std::move(remote);
  options_.branch = std::move(branch);
}

Authority Publisher::authority() const {
  const std::lock_guard lock(mutex_);
  return authority_;
}

std::optional<ObjectId> Publisher::tip() const {
  const std::lock_guard lock(mutex_);
  return tip_;
}

std::size_t Publisher::waiting() const {
  const std::lock_guard lock(mutex_);
  return pending_.size();
}

void Publisher::put(const std::string& path, std::string text, std::string event) {
  const std::lock_guard lock(mutex_);
  auto& entry = pending_[path];
  entry.text = std::move(text);
  if (!event.empty()) entry.event = std::move(event);
  entry.version = ++version_;
}

void Publisher::remove(const std::string& path, std::string event) {
  const std::lock_guard lock(mutex_);
  auto& entry = pending_[path];
  entry.text.reset();
  if (!event.empty()) entry.event = std::move(event);
  entry.version = ++version_;
}

void Publisher::set_controller(ControllerStatus status) {
  const std::lock_guard lock(mutex_);
  controller_ = std::move(status);
}

void Publisher::depose(std::string why) {
  const std::lock_guard lock(mutex_);
  authority_.state = Authority::State::Deposed;
  authority_.detail = std::move(why);
}

registry::GitPerson Publisher::author() const { return {options_.author_name, options_.author_email, clock_.wall()}; }

// Terms

Result<TermTaken> Publisher::take_term(const Call& call) {
  const std::lock_guard lock(flushing_);
  if (authority().state == Authority::State::Deposed) return Error{Code::Conflict, authority().detail};
  for (int i = 1;; ++i) {
    auto taken = try_term(call);
    if (taken || taken.error().code != Code::Conflict || i >= options_.attempts) return taken;
  }
}

Result<TermTaken> Publisher::try_term(const Call& call) {
  auto repository = GitRepository::open_or_create(options_.repository);
  if (!repository) return std::move(repository.error());
  const auto found = fetch_tip(*repository, call);
  if (!found) return found.error();
  auto before = controller_of(*repository, *found);
  if (!before) return std::move(before.error());
  auto index = index_of(*repository, *found);
  if (!index) return std::move(index.error());
  const auto length = length_of(*repository, *found, options_.history);
  if (!length) return length.error();
  auto documents = read_documents(*repository, *index);
  if (!documents) return std::move(documents.error());

  Batch batch;
  if (*before) batch.controller = **before;
  batch.controller.id = options_.controller;
  batch.controller.term = *before ? (*before)->term + 1 : 1;
  batch.changes[kControllerPath] = to_text(batch.controller);
  {
    const std::lock_guard lock(mutex_);
    tip_ = *found;
  }
  index_ = std::move(*index);
  history_ = *length;
  const auto id = commit(*repository, batch);
  if (!id) return id.error();
  if (!*id) return Error{Code::Internal, "a new term that changes nothing"};
  if (auto ok = transport_.push(options_.remote, **id, options_.branch, *found, call); !ok) {
    return std::move(ok.error()).with("while taking term " + std::to_string(batch.controller.term));
  }
  remember_tip(*repository, **id);
  published(**id, batch);
  {
    const std::lock_guard lock(mutex_);
    authority_ = {Authority::State::Held, batch.controller.term, ""};
    acknowledged_ = index_;
  }
  return TermTaken{batch.controller.term, std::move(*before), std::move(*documents)};
}

/// The branch's tip with all its objects; nothing if there is no such branch.
Result<std::optional<ObjectId>> Publisher::fetch_tip(GitRepository& repository, const Call& call) {
  auto listed = transport_.list_remote(options_.remote, {options_.branch}, call);
  if (!listed) return std::move(listed.error());
  if (!listed->contains(options_.branch)) return std::optional<ObjectId>{};
  auto fetched = transport_.fetch(options_.remote, {{options_.branch, kIncoming}}, call);
  if (!fetched) return std::move(fetched.error());
  return repository.resolve(kIncoming);
}

/// Steps down before a higher term, and before another controller with ours.
Result<> Publisher::judge(const std::optional<ControllerStatus>& theirs) {
  const auto mine = authority();
  if (mine.state != Authority::State::Held || !theirs) return {};
  const bool higher = theirs->term > mine.term;
  const bool twin = theirs->term == mine.term && theirs->id != options_.controller;
  if (higher || twin) {
    depose("controller " + theirs->id + " took term " + std::to_string(theirs->term));
    return Error{Code::Conflict, authority().detail};
  }
  return {};
}

std::optional<std::string> Publisher::acknowledged(const std::string& path) const {
  ObjectId blob;
  {
    const std::lock_guard lock(mutex_);
    const auto found = acknowledged_.find(path);
    if (found == acknowledged_.end() || authority_.state != Authority::State::Held) return std::nullopt;
    blob = found->second;
  }
  auto repository = GitRepository::open_or_create(options_.repository);
  if (!repository) return std::nullopt;
  auto text = repository->read_blob(blob, kStatusDocumentBytes);
  return text ? std::optional(std::move(*text)) : std::nullopt;
}

Result<> Publisher::verify(const Call& call) {
  const std::lock_guard lock(flushing_);
  if (authority().state == Authority::State::Deposed) return Error{Code::Conflict, authority().detail};
  return catch_up(call);
}

/// Takes over the branch as it is now, with our documents to be put on top.
Result<> Publisher::catch_up(const Call& call) {
  const auto listed = transport_.list_remote(options_.remote, {options_.branch}, call);
  if (!listed) return listed.error();
  if (const auto there = listed->find(options_.branch); there != listed->end() && there->second == tip()) return {};
  auto repository = GitRepository::open_or_create(options_.repository);
  if (!repository) return std::move(repository.error());
  const auto found = fetch_tip(*repository, call);
  if (!found) return found.error();
  if (*found == tip()) return {};
  auto theirs = controller_of(*repository, *found);
  // A branch that nobody can read any more carries no term to step down before, and
  // is nothing to write over either.
  if (!theirs) return std::move(theirs.error()).with("while reading " + options_.branch);
  if (auto ok = judge(*theirs); !ok) return ok;
  auto index = index_of(*repository, *found);
  if (!index) return std::move(index.error());
  const auto length = length_of(*repository, *found, options_.history);
  if (!length) return length.error();
  history_ = *length;
  keep_ours(*repository, std::move(*index));
  published_controller_ = std::move(*theirs);
  const std::lock_guard lock(mutex_);
  tip_ = *found;
  return {};
}

/// What we had published and is not there any more waits for the next flush.
void Publisher::keep_ours(const GitRepository& repository, Index theirs) {
  for (const auto& [path, id] : index_) {
    if (path == kControllerPath) continue;
    const auto there = theirs.find(path);
    if (there != theirs.end() && there->second == id) continue;
    auto text = repository.read_blob(id, kStatusDocumentBytes);
    if (!text) continue;  // it comes again with the machine's next change
    const std::lock_guard lock(mutex_);
    if (pending_.contains(path)) continue;
    pending_[path] = Pending{std::move(*text), "restored", ++version_};
  }
  index_ = std::move(theirs);
}

// Flushing

Result<Flushed> Publisher::flush(const Call& call) {
  const std::lock_guard lock(flushing_);
  for (int i = 1;; ++i) {
    const auto mine = authority();
    if (mine.state == Authority::State::Deposed) return Error{Code::Conflict, mine.detail};
    if (mine.state == Authority::State::Starting) return Error{Code::Conflict, "no term was taken yet"};
    auto flushed = attempt(call);
    if (flushed || flushed.error().code != Code::Conflict || i >= options_.attempts) return flushed;
    if (auto ok = catch_up(call); !ok) return std::move(ok.error());
  }
}

Result<Flushed> Publisher::attempt(const Call& call) {
  Batch batch = collect();
  if (batch.changes.empty()) {
    // All that was looked at is there already.
    const std::lock_guard lock(mutex_);
    std::erase_if(pending_, [&](const auto& item) {
      const auto seen = batch.versions.find(item.first);
      return seen != batch.versions.end() && seen->second == item.second.version;
    });
    return Flushed{};
  }
  auto repository = GitRepository::open_or_create(options_.repository);
  if (!repository) return std::move(repository.error());
  batch.begins_anew = options_.history > 0 && history_ >= options_.history && may_begin_anew_;
  auto id = commit_and_push(*repository, batch, call);
  if (!id && id.error().code == Code::Auth && batch.begins_anew) {
    may_begin_anew_ = batch.begins_anew = false;
    id = commit_and_push(*repository, batch, call);
  }
  if (!id) return std::move(id.error());
  published(*id, batch);
  remember_tip(*repository, *id);
  return Flushed{*id, batch.changes.size()};
}

Result<ObjectId> Publisher::commit_and_push(GitRepository& repository, Batch& batch, const Call& call) {
  const auto id = commit(repository, batch);
  if (!id) return id.error();
  if (!*id) return Error{Code::Internal, "changes that change nothing"};
  if (auto ok = transport_.push(options_.remote, **id, options_.branch, tip(), call); !ok) {
    return std::move(ok.error());
  }
  return **id;
}

/// status.toml has news if anything but commit ids differs.
bool Publisher::is_news(const ControllerStatus& next) const {
  if (!published_controller_) return true;
  auto before = *published_controller_;
  before.accepted_commit = next.accepted_commit;
  before.observed_commit = next.observed_commit;
  before.audit = next.audit;
  return before != next;
}

Publisher::Batch Publisher::collect() const {
  Batch batch;
  const std::lock_guard lock(mutex_);
  for (const auto& [path, entry] : pending_) {
    batch.versions[path] = entry.version;
    const auto there = index_.find(path);
    const bool same =
        entry.text ? there != index_.end() && there->second == registry::blob_id(*entry.text) : there == index_.end();
    if (same) continue;
    batch.changes[path] = entry.text;
    batch.chapters.push_back({path, entry.event});
  }
  if (controller_) batch.controller = *controller_;
  if (!controller_ && published_controller_) batch.controller = *published_controller_;
  batch.controller.id = options_.controller;
  batch.controller.term = authority_.term;
  if (options_.audit) batch.controller.audit = options_.audit();
  const bool differs = !published_controller_ || *published_controller_ != batch.controller;
  const bool due = clock_.now() - controller_published_ >= options_.heartbeat;
  if (differs && (!batch.changes.empty() || is_news(batch.controller) || due)) {
    batch.changes[kControllerPath] = to_text(batch.controller);
  }
  return batch;
}

Result<std::optional<ObjectId>> Publisher::commit(const GitRepository& repository, const Batch& batch) const {
  const bool is_new_term = authority().state == Authority::State::Starting;
  const auto story =
      tell(batch.chapters, is_new_term ? options_.controller + ": term " + std::to_string(batch.controller.term)
                                       : controller_story(batch.controller));
  registry::NewCommit next;
  next.base = tip();
  if (next.base && !batch.begins_anew) next.parents = {*next.base};
  next.changes = batch.changes;
  next.author = next.committer = author();
  std::vector<std::pair<std::string, std::string>> trailers;
  if (!batch.controller.accepted_commit.empty()) {
    trailers.emplace_back("Nimbus-Registry", batch.controller.accepted_commit);
  }
  trailers.emplace_back("Nimbus-Controller", options_.controller);
  trailers.emplace_back("Nimbus-Term", std::to_string(batch.controller.term));
  trailers.emplace_back("Nimbus-Machines", std::to_string(machines_in(batch.chapters)));
  if (next.base && batch.begins_anew) trailers.emplace_back("Nimbus-Previous", *next.base);
  next.message = registry::commit_message(story.subject, story.body, trailers);
  return registry::write_commit(repository, next, signer_);
}

void Publisher::published(const ObjectId& commit, const Batch& batch) {
  for (const auto& [path, text] : batch.changes) {
    if (text) {
      index_[path] = registry::blob_id(*text);
    } else {
      index_.erase(path);
    }
  }
  history_ = batch.begins_anew ? 1 : history_ + 1;
  if (batch.changes.contains(kControllerPath)) {
    published_controller_ = batch.controller;
    controller_published_ = clock_.now();
  }
  const std::lock_guard lock(mutex_);
  for (const auto& [path, text] : batch.changes) {
    if (text)
      acknowledged_[path] = index_[path];
    else
      acknowledged_.erase(path);
  }
  tip_ = commit;
  std::erase_if(pending_, [&](const auto& item) {
    const auto seen = batch.versions.find(item.first);
    return seen != batch.versions.end() && seen->second == item.second.version;
  });
}

}  // namespace nimbus::controller
