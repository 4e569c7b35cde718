// Answers SMTP commands, as a server without restrictions that stores nothing: in one session after the
// other, of those who connect to the socket that is standard input.
//
//     smtp_program [--allow xclient|xforward|verp|tls] [--reject-recipients] [--content FILE] [NAME=VALUE...]
//
// NAME=VALUE are parameters of main.cf. --reject-recipients refuses each recipient, and so shows how its
// address was understood. `tls` is needed for anything, and does not work. Pieces of content go to FILE,
// those of a session over those of the one before, a line each: N for a line or its end, L for what another
// piece continues. A line of the output is what the log would say of the commands of a session.
#include <sys/socket.h>
#include <unistd.h>

#include <algorithm>
#include <csignal>
#include <fstream>
#include <iostream>
#include <string>

#include "libconf/file.h"
#include "libconf/handle.h"
#include "libconf/text.h"
#include "libmaps/match_list.h"
#include "libmaps/open.h"
#include "libmaps/utf8.h"
#include "tools/mta/smtp/content_reader.h"
#include "tools/mta/smtp/ehlo.h"
#include "tools/mta/smtp/error_limits.h"
#include "tools/mta/smtp/request.h"
#include "tools/mta/smtp/session_statistics.h"

namespace {

using libconf::concat;
using mta::Reply;

struct Arguments {
  mta::SessionState privileges;
  bool rejects_recipients = false;
  std::string content_file;
};

class FileSink final : public mta::ContentSink {
 public:
  explicit FileSink(const std::string& file) : out_(file, std::ios::binary) {}
  void line(std::string_view text, bool is_continued) override {
    out_ << (is_continued ? 'L' : 'N') << text << '\n';
  }

 private:
  std::ofstream out_;
};

class Session {
 public:
  Session(const Arguments& arguments, const mta::ServerOptions& options, const mta::ErrorLimits& limits,
          libmaps::MatchList& noop_commands, libmaps::MatchList& forbidden_commands, int client)
      : arguments_(arguments),
        options_(options),
        errors_(limits),
        noop_commands_(noop_commands),
        forbidden_commands_(forbidden_commands),
        client_(client),
        sink_(arguments.content_file),
        reader_(options.line_length_limit, options.smtpd_forbid_bare_newline, options.smtputf8_enable),
        state_(arguments.privileges) {
    send(mta::greeting(options_));
  }

  /// False: the session is over.
  bool feed(std::string_view input) {
    while (!is_over_ && advance(input)) continue;
    return !is_over_;
  }

  std::string statistics() const { return statistics_.to_string(); }

 private:
  using Limits = mta::ContentLimits;

  /// Takes one thing off the front of `input`. False: it is used up.
  bool advance(std::string_view& input) {
    if (data_) return advance_data(input);
    if (skipper_) return advance_refused_chunk(input);
    if (is_in_chunk_) return advance_chunk(input);
    if (errors_.must_disconnect()) {
      send(mta::reply_to_too_many_errors(options_.myhostname));
      return false;
    }
    const std::optional<mta::CommandInput> command = reader_.read(input);
    if (!command) return false;
    if (command->has_bare_newline && options_.smtpd_forbid_bare_newline == mta::BareNewline::kReject) {
      send(mta::reply_to_bare_newline(options_));
      is_over_ = true;
      return false;
    }
    handle(command->text, !input.empty() || reader_.has_pending());
    return true;
  }

  void handle(std::string_view text, bool has_more_input) {
    const mta::CommandLine line(text);
    if (line.words().empty()) return answer(mta::reply_to_empty_line());
    if (options_.smtputf8_enable && !libmaps::is_utf8(text)) {
      return answer(mta::reply_to_bad_utf8());
    }
    if (*noop_commands_.matches(line.name())) return answer({250, "2.0.0", "Ok"});
    const mta::Command* command = mta::find_command(line.name());
    if (!command) {
      statistics_.count_unknown();
      const bool is_forbidden = line.is_message_header() || *forbidden_commands_.matches(line.name());
      return answer(is_forbidden ? mta::reply_to_forbidden_command() : mta::reply_to_unknown_command());
    }
    verb_ = command->verb;
    const bool may_pipeline = is_extended_ && !state_.discarded.has(mta::EhloKeyword::kPipelining);
    if (options_.smtpd_forbid_unauth_pipelining && has_more_input &&
        forbids_more_input(*command, may_pipeline)) {
      finish(mta::reply_to_unauthorized_pipelining());
      is_over_ = true;
      return;
    }
    if (command->is_junk) errors_.count_junk_command();
    const mta::RequestResult request = parse_request(*command, line, options_, state_);
    if (!request) return finish(request.error());
    std::visit([this](const auto& r) { serve(r); }, *request);
  }

  void serve(const mta::HeloRequest& request) {
    reset_message();
    state_.has_helo = true;
    is_extended_ = request.is_extended;
    finish(request.is_extended ? ehlo_reply(options_, state_, "") : helo_reply(options_));
  }
  void serve(const mta::MailRequest& request) {
    reset_message();
    errors_.start_message();
    state_.has_sender = true;
    state_.is_utf8_message = request.is_utf8;
    finish({250, "2.1.0", "Ok"});
  }
  void serve(const mta::RcptRequest& request) {
    using Verdict = mta::ErrorCounter::Verdict;
    const Verdict verdict = errors_.judge_recipient(state_.recipients);
    if (verdict != Verdict::kAccept) {
      statistics_.count(verb_, verdict == Verdict::kRefuse);
      return send(mta::reply_to_too_many_recipients(verdict));
    }
    if (arguments_.rejects_recipients) return reject_recipient(request.recipient);
    ++state_.recipients;
    finish({250, "2.1.5", "Ok"});
  }
  void serve(const mta::DataRequest&) {
    data_.emplace(limits(), sink_);
    send({354, "", "End data with <CR><LF>.<CR><LF>"});
  }
  void serve(const mta::BdatRequest& request) {
    chunk_ = request;
    if (!chunk_.refusal && !chunks_) chunks_.emplace(limits(), sink_);
    if (!chunk_.refusal && !chunks_->fits(request.size)) {
      chunk_.refusal = mta::reply_to_large_chunk();
    }
    if (chunk_.refusal) {
      skipper_.emplace(request.size);
    } else {
      chunks_->start(request.size, request.is_last);
      is_in_chunk_ = true;
    }
  }
  void serve(const mta::RsetRequest&) {
    reset_message();
    finish({250, "2.0.0", "Ok"});
  }
  void serve(const mta::NoopRequest&) { finish({250, "2.0.0", "Ok"}); }
  void serve(const mta::QuitRequest&) { finish({221, "2.0.0", "Bye"}); }
  void serve(const mta::StarttlsRequest&) {
    finish({454, "4.7.0", "TLS not available due to local problem"});
  }
  void serve(const mta::VrfyRequest& request) {
    if (arguments_.rejects_recipients) return reject_recipient(request.address);
    finish({252, "2.0.0", request.text});
  }
  void serve(const mta::EtrnRequest& request) {
    finish({459, "", concat("<", request.domain, ">: service unavailable")});
  }
  void serve(const mta::AuthRequest&) { finish({535, "5.7.8", "Error: authentication failed"}); }
  void serve(const mta::XclientRequest&) {
    reset_message();
    state_.has_helo = is_extended_ = false;
    statistics_.count(verb_, false);
    send(mta::greeting(options_));
  }
  void serve(const mta::XforwardRequest&) { finish({250, "2.0.0", "Ok"}); }

  bool advance_data(std::string_view& input) {
    if (!data_->read(input)) return false;
    const mta::ContentSummary summary = data_->summary();
    data_.reset();
    finish_message(summary, "Ok: queued as QUEUE-ID");
    return true;
  }

  bool advance_refused_chunk(std::string_view& input) {
    if (!skipper_->read(input)) return false;
    skipper_.reset();
    finish_refused_chunk(*chunk_.refusal);
    return true;
  }

  void finish_refused_chunk(const Reply& refusal) {
    finish(refusal);
    if (chunk_.is_last) {
      reset_message();
    } else {
      state_.is_in_chunks = state_.is_chunk_failed = true;
    }
  }

  bool advance_chunk(std::string_view& input) {
    if (!chunks_->read(input)) return false;
    is_in_chunk_ = false;
    const mta::ContentSummary summary = chunks_->summary();
    if (const std::optional<Reply> refusal = refusal_of(summary)) {
      finish_refused_chunk(*refusal);
    } else if (chunk_.is_last) {
      finish_message(summary, concat("Ok: ", std::to_string(summary.size), " bytes queued as QUEUE-ID"));
    } else {
      state_.is_in_chunks = true;
      finish({250, "2.0.0", concat("Ok: ", std::to_string(chunk_.size), " bytes")});
    }
    return true;
  }

  std::optional<Reply> refusal_of(const mta::ContentSummary& summary) const {
    if (summary.has_bare_newline && options_.smtpd_forbid_bare_newline == mta::BareNewline::kReject) {
      return mta::reply_to_bare_newline(options_);
    }
    if (summary.is_too_big) return mta::reply_to_large_message();
    return std::nullopt;
  }

  void finish_message(const mta::ContentSummary& summary, std::string_view accepted) {
    if (summary.has_bare_newline && options_.smtpd_forbid_bare_newline == mta::BareNewline::kNote) {
      statistics_.note_bare_newline();
    }
    const std::optional<Reply> refusal = refusal_of(summary);
    finish(refusal.value_or(Reply(250, "2.0.0", accepted)));
    if (!refusal) errors_.forgive();
    reset_message();
  }

  void reset_message() {
    state_.has_sender = state_.is_utf8_message = state_.is_in_chunks = state_.is_chunk_failed = false;
    state_.recipients = 0;
    chunks_.reset();
  }

  Limits limits() const {
    return {options_.line_length_limit, options_.message_size_limit, options_.smtpd_forbid_bare_newline};
  }

  void reject_recipient(std::string_view address) {
    finish({554, "5.7.1", concat("<", shown(address), ">: Recipient address rejected: Access denied")});
  }

  /// As Postfix's restrictions show an address.
  std::string shown(std::string_view address) const {
    std::string out =
        options_.smtputf8_enable ? libconf::printable_utf8(address) : libconf::printable(address);
    std::replace(out.begin(), out.end(), '?', ' ');
    return out;
  }

  /// Answers a command of the table.
  void finish(const Reply& reply) {
    statistics_.count(verb_, !reply.is_error());
    answer(reply);
  }

  void answer(const Reply& reply) {
    if (reply.is_error()) errors_.count_error();
    send(reply);
  }

  void send(const Reply& reply) {
    std::string out;
    reply.append_to(out);
    libconf::write_all(client_, out);  // Who has gone does not need it.
    is_over_ |= reply.closes_connection();
  }

  const Arguments& arguments_;
  mta::ServerOptions options_;
  mta::ErrorCounter errors_;
  libmaps::MatchList& noop_commands_;
  libmaps::MatchList& forbidden_commands_;
  const int client_;
  FileSink sink_;
  mta::CommandReader reader_;
  mta::SessionState state_;
  mta::SessionStatistics statistics_;
  mta::Verb verb_ = mta::Verb::kNoop;  ///< Of the command at hand.
  std::optional<mta::DataReader> data_;
  std::optional<mta::ChunkReader> chunks_;
  std::optional<mta::ChunkSkipper> skipper_;
  mta::BdatRequest chunk_;
  bool is_in_chunk_ = false;
  bool is_extended_ = false;
  bool is_over_ = false;
};

/// False: they make no sense.
bool read_arguments(int argc, char** argv, Arguments& arguments, libconf::Settings& settings) {
  for (int i = 1; i < argc; ++i) {
    const std::string_view argument = argv[i];
    libconf::NameValue assignment;
    if (argument == "--reject-recipients") {
      arguments.rejects_recipients = true;
    } else if (argument == "--content" && i + 1 < argc) {
      arguments.content_file = argv[++i];
    } else if (argument == "--allow" && i + 1 < argc) {
      const std::string_view what = argv[++i];
      arguments.privileges.may_use_xclient |= what == "xclient";
      arguments.privileges.may_use_xforward |= what == "xforward";
      arguments.privileges.may_use_verp |= what == "verp";
      if (what == "tls") arguments.privileges.offers_tls = arguments.privileges.requires_tls = true;
    } else if (split_name_value(argument, assignment) == libconf::NameValueFault::kNone) {
      settings.override_value(assignment.name, assignment.value);
    } else {
      return false;
    }
  }
  return true;
}

/// Returns what the log would say of the session, whose content is in its file then.
std::string converse(int client, Session session) {
  char buffer[65536];
  bool is_over = false;
  // To the client's end: to close with commands unread would reset the connection, and take replies along.
  for (ssize_t size = 0; (size = ::read(client, buffer, sizeof buffer)) > 0;) {
    if (is_over || session.feed({buffer, static_cast<std::size_t>(size)})) continue;
    is_over = true;
    ::shutdown(client, SHUT_WR);
  }
  return session.statistics();
}

int fail(const libconf::Error& error) {
  std::cerr << error.message << '\n';
  return 1;
}

}  // namespace

int main(int argc, char** argv) {
  libconf::Settings settings(nullptr, libconf::system_host());
  libconf::DiagnosticDiscard warnings;
  Arguments arguments;
  if (!read_arguments(argc, argv, arguments, settings)) return 2;
  const auto options = mta::read_server_options(settings);
  if (!options) return fail(options.error());
  const auto limits = mta::read_error_limits(settings);
  if (!limits) return fail(limits.error());
  const auto discarded = settings.get("smtpd_discard_ehlo_keywords");
  if (!discarded) return fail(discarded.error());
  arguments.privileges.discarded = mta::DiscardedKeywords::parse(*discarded);
  const auto open_table = [&](std::string_view spec) {
    return libmaps::open(spec, {.settings = settings, .warnings = warnings});
  };
  const auto list = [&](const char* name) {
    return libmaps::MatchList::parse(name, settings.get(name).value_or(""), {}, open_table);
  };
  auto noop_commands = list("smtpd_noop_commands");
  if (!noop_commands) return fail(noop_commands.error());
  auto forbidden_commands = list("smtpd_forbidden_commands");
  if (!forbidden_commands) return fail(forbidden_commands.error());

  std::signal(SIGPIPE, SIG_IGN);
  while (const libconf::FileDescriptor client{::accept4(STDIN_FILENO, nullptr, nullptr, SOCK_CLOEXEC)}) {
    const std::string statistics =
        converse(client.get(),
                 Session(arguments, *options, *limits, *noop_commands, *forbidden_commands, client.get()));
    std::cout << "disconnect" << statistics << std::endl;
  }
  return 0;
}
