/* foreign_poslog.h - a till's POSLog document as a form (foreign.h): one body, receipts as poslog.h tells them.
 *
 *     SOUK_TRY(souk_foreign_poslog.tell(&message));
 *
 * A transaction at fault is refused alone, with its own text. */
#ifndef SOUK_SERVICE_COLLECT_FOREIGN_POSLOG_H
#define SOUK_SERVICE_COLLECT_FOREIGN_POSLOG_H

#include "service/collect/foreign.h"

extern const souk_foreign_form souk_foreign_poslog;

#endif
