// Answers without an end: one connection each, no worker.
#include "base/http/server_loop.hpp"

namespace nimbus::base {

/// The head is in `out` already.
void HttpServer::Loop::begin_stream(Id id, Connection& connection, const HttpResponse& response) {
  connection.phase = Phase::Streaming;
  connection.channel = std::make_shared<HttpStream::Channel>();
  connection.channel->loop = this;
  connection.channel->id = id;
  streams_ += 1;
  const HttpStream stream(connection.channel);
  set_heartbeat(id, connection);
  write(id, connection);  // may close the connection
  response.stream(stream);
}

void HttpServer::Loop::detach_stream(Connection& connection) {
  const auto channel = std::exchange(connection.channel, nullptr);
  if (!channel) return;
  const std::lock_guard lock(channel->mutex);
  channel->loop = nullptr;
  streams_ -= 1;
}

void HttpServer::Loop::stream(Id id, const std::string& data) {
  const auto found = connections_.find(id);
  if (found == connections_.end() || found->second.phase != Phase::Streaming) return;
  Connection& connection = found->second;
  connection.out += data;
  if (connection.out.size() - connection.sent > limits_.stream_bytes) return close(id);  // too slow for it
  write(id, connection);
}

void HttpServer::Loop::end_stream(Id id) {
  const auto found = connections_.find(id);
  if (found == connections_.end() || found->second.phase != Phase::Streaming) return;
  detach_stream(found->second);
  found->second.phase = Phase::Writing;
  found->second.after = After::Close;
  set_deadline(id, found->second, limits_.write_time);
  write(id, found->second);
}

void HttpServer::Loop::set_heartbeat(Id id, Connection& connection) {
  events_->cancel_timer(connection.deadline);
  connection.deadline = events_->start_timer(limits_.heartbeat, [this, id] { heartbeat(id); });
}

void HttpServer::Loop::heartbeat(Id id) {
  const auto found = connections_.find(id);
  if (found == connections_.end()) return;
  if (!found->second.out.empty()) return close(id);  // took nothing for a whole interval
  set_heartbeat(id, found->second);
  stream(id, ":\n\n");
}

bool HttpStream::send(std::string data) const {
  const std::lock_guard lock(channel_->mutex);
  auto* loop = channel_->loop;
  if (loop == nullptr) return false;
  loop->events_->post([loop, id = channel_->id, data = std::move(data)] { loop->stream(id, data); });
  return true;
}

void HttpStream::end() const {
  const std::lock_guard lock(channel_->mutex);
  auto* loop = channel_->loop;
  if (loop == nullptr) return;
  loop->events_->post([loop, id = channel_->id] { loop->end_stream(id); });
}

}  // namespace nimbus::base
