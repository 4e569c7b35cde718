#include "tools/sendmail/submission.h"

#include <pwd.h>
#include <unistd.h>

#include <cctype>
#include <cerrno>
#include <cstdlib>
#include <cstring>
#include <ostream>

#include "libconf/text.h"
#include "tools/cli/fatal.h"
#include "tools/mta/address/header_address.h"
#include "tools/mta/address/quoting.h"
#include "tools/mta/submission/postdrop_client.h"
#include "tools/mta/submission/submission_records.h"
#include "tools/sendmail/content.h"

namespace sendmail {
namespace {

using cli::fatal;
using libconf::concat;
using libconf::Result;
using mta::RecordType;
using mta::SubmissionAttribute;

/// trace_flags: what the report is about.
constexpr std::string_view kReportOfVerification = "512";
constexpr std::string_view kReportOfDelivery = "1024";

std::string with_user(std::string_view sender, std::string_view text) {
  return concat(sender, "(", std::to_string(::getuid()), "): ", text);
}

class DropSink final : public RecordSink {
 public:
  explicit DropSink(mta::PostdropClient& client) : client_(client) {}
  void put(RecordType type, std::string_view payload) override { client_.put(type, payload); }
  void attribute(SubmissionAttribute attribute, std::string_view value) {
    client_.attribute(attribute, value);
  }

 private:
  mta::PostdropClient& client_;
};

/// The name of an account: the first field of what finger(1) shows, where `&` stands for the login name.
std::string name_of(const passwd& account) {
  std::string name;
  for (const char c : std::string_view(account.pw_gecos)) {
    if (c == ',' || c == ';' || c == '%') break;
    if (c != '&') {
      name += c;
      continue;
    }
    std::string login = account.pw_name;
    if (!login.empty()) login[0] = static_cast<char>(std::toupper(static_cast<unsigned char>(login[0])));
    name += login;
  }
  return name;
}

/// Nothing: none is known. An empty one is a name, too.
std::optional<std::string> full_name(const Options& options) {
  if (options.full_name) return options.full_name;
  if (const char* const name = std::getenv("NAME"))
    return name;                                         // NOLINT(concurrency-mt-unsafe): one thread.
  const passwd* const account = ::getpwuid(::getuid());  // NOLINT(concurrency-mt-unsafe): one thread.
  if (account == nullptr) return std::nullopt;
  return name_of(*account);
}

/// One submission.
class Submission {
 public:
  explicit Submission(const SubmissionTools& tools)
      : program_(tools.program), options_(tools.options), postdrop_(tools.postdrop) {}

  Result<void> run(int input, std::ostream& out);

 private:
  Result<void> prepare();
  Result<void> set_sender();
  std::vector<std::string> addresses(std::string_view text) const;
  void write_envelope(DropSink& sink) const;
  void write_recipient(DropSink& sink, const std::string& address) const;
  void write_probe(DropSink& sink) const;
  bool wants_report() const { return options_.verifies || options_.verbosity == 1; }

  mta::UserProgram& program_;
  const Options& options_;
  const std::string& postdrop_;
  ContentOptions content_;
  std::string sender_;                   ///< In internal form.
  std::vector<std::string> recipients_;  ///< Of the command line; in internal form.
};

std::vector<std::string> Submission::addresses(std::string_view text) const {
  std::vector<std::string> found;
  for (const std::string& address : mta::header_addresses(text, content_.header_address_token_limit))
    found.push_back(mta::unquote_address(address));
  return found;
}

Result<void> Submission::set_sender() {
  if (!options_.sender) {
    const std::optional<std::string> login = mta::login_name(::getuid());
    if (!login) return fatal(concat("unable to find the login name of user ", std::to_string(::getuid())));
    sender_ = *login;
    return {};
  }
  const std::vector<std::string> found = addresses(*options_.sender);
  if (found.size() > 1) program_.warn(concat("-f option specified malformed sender: ", *options_.sender));
  if (!found.empty()) sender_ = found.front();
  return {};
}

Result<void> Submission::prepare() {
  if (Result<void> allowed = program_.check_may_submit(); !allowed) return allowed;
  const Result<std::string> queue = program_.settings().get("queue_directory");
  if (!queue) return queue.error();
  if (::access(queue->c_str(), X_OK) != 0) return fatal(concat("chdir ", *queue, ": ", std::strerror(errno)));
  Result<ContentOptions> content = content_options(program_.settings());
  if (!content) return content.error();
  content_ = *content;
  content_.ignores_dots = options_.ignores_dots;
  content_.extracts_recipients = options_.extracts_recipients;
  if (Result<void> set = set_sender(); !set) return set;
  for (const std::string& operand : options_.recipients) {
    std::vector<std::string> found = addresses(operand);
    if (found.empty()) found.emplace_back();
    recipients_.insert(recipients_.end(), found.begin(), found.end());
  }
  if (recipients_.empty() && !options_.extracts_recipients)
    return fatal(
        with_user(sender_, "Recipient addresses must be specified on the command line or via the -t option"));
  return {};
}

void Submission::write_recipient(DropSink& sink, const std::string& address) const {
  if (options_.notify != 0) sink.attribute(SubmissionAttribute::kNotify, std::to_string(options_.notify));
  sink.put(RecordType::kRecipient, address);
}

void Submission::write_envelope(DropSink& sink) const {
  if (!options_.envelope_id.empty()) sink.attribute(SubmissionAttribute::kEnvelopeId, options_.envelope_id);
  if (options_.return_flags != 0)
    sink.attribute(SubmissionAttribute::kReturn, std::to_string(options_.return_flags));
  sink.attribute(SubmissionAttribute::kRewriteContext, options_.is_gateway ? "remote" : "local");
  if (const std::optional<std::string> name = full_name(options_)) sink.put(RecordType::kFullName, *name);
  sink.put(RecordType::kSender, sender_);
  if (!options_.encoding.empty()) sink.attribute(SubmissionAttribute::kEncoding, options_.encoding);
  if (wants_report())
    sink.attribute(SubmissionAttribute::kTrace,
                   options_.verifies ? kReportOfVerification : kReportOfDelivery);
  if (!options_.verp_delimiters.empty()) sink.put(RecordType::kVerp, options_.verp_delimiters);
  for (const std::string& address : recipients_) write_recipient(sink, address);
  sink.put(RecordType::kContent, "");
}

/// The message of -bv, which nobody gets.
void Submission::write_probe(DropSink& sink) const {
  if (!sender_.empty()) sink.put(RecordType::kLine, concat("From: ", sender_));
  sink.put(RecordType::kLine, "Subject: probe");
  sink.put(RecordType::kPartialLine, "To:");
  for (std::size_t i = 0; i < recipients_.size(); ++i)
    sink.put(RecordType::kLine,
             concat("\t", mta::quote_address(recipients_[i]), i + 1 < recipients_.size() ? "," : ""));
}

Result<void> Submission::run(int input, std::ostream& out) {
  Result<void> prepared = prepare();
  // Where it is checked that the user may submit, nothing has been written yet.
  if (!prepared) return prepared;
  Result<mta::PostdropClient> client = mta::PostdropClient::start(postdrop_);
  if (!client) return fatal(with_user(sender_, client.error().message));
  DropSink sink(*client);
  write_envelope(sink);
  ContentCopy content(content_, sink);
  if (options_.verifies) {
    write_probe(sink);
  } else if (const Result<void> copied = content.run(input); !copied) {
    return fatal(with_user(sender_, concat("fatal error: ", copied.error().message)));
  }
  sink.put(RecordType::kExtracted, "");
  if (options_.extracts_recipients) {
    if (recipients_.empty() && content.recipients().empty())
      return fatal(with_user(sender_, "No recipient addresses found in message header"));
    for (const std::string& address : content.recipients()) write_recipient(sink, address);
  }
  sink.put(RecordType::kEnd, "");
  const mta::PostdropReply reply = client->finish();
  if (!reply.warning.empty()) program_.warn(reply.warning);
  if (!reply.is_done()) return fatal(with_user(sender_, reply.reason));
  if (wants_report())
    out << "Mail Delivery Status Report will be mailed to <" << sender_ << ">." << std::endl;
  return {};
}

}  // namespace

Result<void> submit(const SubmissionTools& tools, int input, std::ostream& out) {
  return Submission(tools).run(input, out);
}

}  // namespace sendmail
