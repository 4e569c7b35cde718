/// The directories that an instance has for itself: making and removing them.
///
///     if (Result<void> made = make_private_files(instance, primary, sink); !made) return made;
#pragma once

#include <functional>
#include <string>

#include "libconf/diagnostic.h"
#include "libconf/main_cf_document.h"
#include "libconf/result.h"
#include "tools/postmulti/instances.h"

namespace postmulti {

/// Edits main.cf of an instance. Errors: as FileEdit.
libconf::Result<void> edit_main_cf(const Instance& instance, libconf::DiagnosticSink& sink,
                                   const std::function<void(libconf::MainCfEdit& edit)>& change);

/// Whether it has main.cf and master.cf already.
bool has_configuration(const Instance& instance);

/// Makes main.cf and master.cf from the prototypes of the primary instance, with the directories of the new
/// one, and what both share. Errors: kInputOutput, kUnsupported: there is no prototype.
libconf::Result<void> make_configuration(const Instance& instance, const Instance& primary,
                                         libconf::DiagnosticSink& sink);

/// Makes the directories of queue and data. Errors: kInputOutput.
libconf::Result<void> make_directories(const Instance& instance, libconf::DiagnosticSink& sink);

/// Whether it could be removed: it does not run, and no message is in its queue. Errors: kUnsupported, why
/// not.
libconf::Result<void> check_is_idle(const Instance& instance);

/// Removes the directories of data, queue and configuration, but for files that do not belong there, which
/// the sink is told of.
void remove_private_files(const Instance& instance, libconf::DiagnosticSink& sink);

}  // namespace postmulti
