/// What libsasl2 asks its caller for: options, and a place for messages.
///
///     CyrusCallbacks callbacks(options);
///     sasl_server_new(..., callbacks.list(), ...);
///     callbacks.report(log);
#pragma once

#include <sasl/sasl.h>

#include <array>
#include <map>
#include <string>
#include <vector>

#include "libconf/diagnostic.h"
#include "tools/mta/sasl/cyrus_options.h"

namespace mta {

/// Who a client says it is.
struct CyrusCredentials {
  std::string name;
  std::string password;
};

/// Must outlive what it was given to. The library calls it on the thread that called the library.
class CyrusCallbacks {
 public:
  /// Paths in the options, and the library's own, start at `root`: see libconf/service_root.h.
  explicit CyrusCallbacks(CyrusOptions options, std::string root = {});
  /// For a client.
  CyrusCallbacks(CyrusOptions options, CyrusCredentials credentials);
  CyrusCallbacks(const CyrusCallbacks&) = delete;
  CyrusCallbacks& operator=(const CyrusCallbacks&) = delete;

  const sasl_callback_t* list() const { return list_.data(); }

  /// Has no options from now on.
  void forget_options() { options_ = CyrusOptions(); }

  /// Hands out the messages there are, as Postfix words them.
  void report(libconf::DiagnosticSink& log);

 private:
  /// The path that stands for one of the host: `value`, or the library's own. Null: the option is no path.
  const std::string* rooted_path(std::string_view option, const std::string* value);

  static int get_option(void* context, const char* plugin, const char* option, const char** result,
                        unsigned* length);
  static int log(void* context, int level, const char* message);
  static int get_name(void* context, int id, const char** result, unsigned* length);
  static int get_password(sasl_conn_t* connection, void* context, int id, sasl_secret_t** secret);

  CyrusOptions options_;
  std::string root_;
  std::map<std::string, std::string, std::less<>> rooted_paths_;  ///< As the library got them.
  CyrusCredentials credentials_;
  std::vector<unsigned char> secret_;  ///< A sasl_secret_t with the password.
  std::vector<std::string> messages_;
  std::array<sasl_callback_t, 5> list_;
};

}  // namespace mta
