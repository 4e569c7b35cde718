/// What postqueue(1) prints of the queue.
///
///     auto report = Report::make(Report::Form::kJson, true);
///     out += report->show(message);
///     out += report->finish();
#pragma once

#include <memory>
#include <string>

#include "tools/mta/queue/queue_lister.h"

namespace postqueue {

/// Not thread-safe. Times are local.
class Report {
 public:
  enum class Form {
    kClassic,  ///< As sendmail's mailq.
    kJson,     ///< An object a line (RFC 8259; postqueue(1), "JSON OBJECT FORMAT").
  };

  /// `shows_utf8`: smtputf8_enable. Anything else that cannot be printed becomes question marks.
  static std::unique_ptr<Report> make(Form form, bool shows_utf8);
  virtual ~Report() = default;

  /// The text for a message.
  virtual std::string show(const mta::ListedMessage& message) = 0;

  /// What comes behind the last.
  virtual std::string finish() = 0;

 protected:
  explicit Report(bool shows_utf8) : shows_utf8_(shows_utf8) {}
  std::string shown(const std::string& text) const;

 private:
  bool shows_utf8_;
};

}  // namespace postqueue
