/// The proxymap service as a library: opens tables for clients of the protocol in libmaps/proxy_protocol.h
/// (proxymap(8)). It does no I/O with clients; whoever has their connections gives it what came in.
///
///     auto service = ProxyService::make(ProxyAccess::kRead, context);
///     ProxySession session;                     // for each connection
///     send(session.greeting());
///     const ProxySession::Output output = session.receive(**service, bytes);
///     send(output.bytes);
///     if (output.closes) close();
#pragma once

#include <cstddef>
#include <cstdint>
#include <map>
#include <memory>
#include <set>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "libmaps/proxy_protocol.h"
#include "libmaps/table.h"
#include "libmaps/table_context.h"
#include "libmaps/table_types.h"

namespace libmaps {

/// What a service is for.
enum class ProxyAccess : std::uint8_t {
  kRead,       ///< proxymap: tables of proxy_read_maps, lookups and listings.
  kReadWrite,  ///< proxywrite: tables of proxy_write_maps, changes also. It makes tables that are not there.
};

/// The tables that the value of proxy_read_maps or proxy_write_maps approves, without "proxy:". Words are
/// separated by white space and commas; those in braces, by the same inside. A word that does not begin with
/// "proxy:" approves nothing.
std::set<std::string, std::less<>> approved_tables(std::string_view value);

/// The tables, opened on first use and shared by all sessions; they stay open. A table that cannot be opened
/// is tried again with each request. Not thread-safe.
class ProxyService {
 public:
  /// Of the context, the options do not count: clients say in their requests how to treat a table. The sink
  /// gets what is wrong with requests and tables. Errors: the setting that approves tables.
  static Result<std::unique_ptr<ProxyService>> make(ProxyAccess access, const TableContext& context);

  ProxyService(const ProxyService&) = delete;
  ProxyService& operator=(const ProxyService&) = delete;

  /// The reply to anything but a sequence request.
  ProxyReply answer(const ProxyRequest& request);

  /// What a sequence goes over.
  using Entries = std::vector<std::pair<std::string, std::string>>;

  /// All entries of the table of a sequence request, put into `entries`. Returns kOk, or the status that is
  /// the reply.
  ProxyStatus list(const ProxyRequest& request, Entries& entries);

  libconf::DiagnosticSink& warnings() const { return context_.warnings; }

 private:
  /// What a table is, where it is open.
  struct OpenTable {
    std::unique_ptr<Table> table;
    KeyKind keys;
  };

  ProxyService(ProxyAccess access, std::set<std::string, std::less<>> approved, const TableContext& context)
      : access_(access), approved_(std::move(approved)), context_(context) {}

  bool approves(std::string_view table);
  /// The table of a request. Null, after a warning: it is not available.
  OpenTable* open_table(const ProxyRequest& request);
  Result<OpenTable> open_new(std::string_view spec, const TableContext& context) const;
  TableContext context_for(const ProxyRequest& request) const;
  std::string key_of(const ProxyRequest& request, const OpenTable& table) const;
  ProxyReply open(const ProxyRequest& request);
  ProxyReply lookup(const ProxyRequest& request);
  ProxyReply change(const ProxyRequest& request);
  ProxyStatus failed(const ProxyRequest& request, const Error& error);
  void warn_unavailable(std::string_view table, const Error& error);

  ProxyAccess access_;
  std::set<std::string, std::less<>> approved_;
  TableContext context_;
  std::map<std::pair<std::string, NullTermination>, OpenTable> tables_;
};

/// One client. Which service answers may change from one receive() to the next, as long as all are of the
/// same access and context. Not thread-safe.
class ProxySession {
 public:
  /// What the client is sent first.
  static std::string greeting() { return proxy_greeting(); }

  struct Output {
    std::string bytes = {};  ///< Replies, to send.
    bool closes = false;     ///< The client is not to be listened to any more.
  };

  /// Takes what a client sent, in any pieces. A request longer than kMaxProxyMessage ends the session.
  Output receive(ProxyService& service, std::string_view bytes);

 private:
  std::string answer(ProxyService& service, const std::vector<Attribute>& attributes);
  ProxyReply sequence(ProxyService& service, const ProxyRequest& request);

  std::string input_;  ///< The start of a request.

  /// A listing: of the table as it was at the first entry, so that entries can be deleted on the way.
  std::string listed_;
  ProxyService::Entries entries_;
  std::size_t next_ = 0;
};

}  // namespace libmaps
