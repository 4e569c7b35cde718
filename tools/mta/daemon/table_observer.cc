#include "tools/mta/daemon/table_observer.h"

#include <utility>

namespace mta {
namespace {

thread_local TableObserver* current_observer = nullptr;

}  // namespace

TableObservation::TableObservation(TableObserver& observer)
    : outer_(std::exchange(current_observer, &observer)) {}

TableObservation::~TableObservation() { current_observer = outer_; }

TableObserver* TableObservation::current() { return current_observer; }

}  // namespace mta
