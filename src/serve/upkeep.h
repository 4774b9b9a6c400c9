/* upkeep.h - what an operator looks after: events that a reader of the log could not take. */
#ifndef SOUK_SERVE_UPKEEP_H
#define SOUK_SERVE_UPKEEP_H

#include "core/service.h"

extern const souk_service souk_upkeep_service;

#endif
