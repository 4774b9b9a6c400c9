/* mqtt.c - the client of the broker, as the settings want it. */
#include "serve/mqtt.h"

#include "app/app.h"

#include <errno.h>

enum { PASSWORD_BYTES = 1024 };

/* The first line of the file. */
static souk_err read_password(const char *path, char password[PASSWORD_BYTES], souk_diag *diag)
{
    FILE *file = fopen(path, "re");
    if (!file)
        return souk_diag_say(diag, errno == EACCES ? SOUK_EDENIED : SOUK_ENOENT,
                             "mqtt.password_file %s cannot be read: %s", path, strerror(errno));
    char *line = fgets(password, PASSWORD_BYTES, file);
    fclose(file);
    if (!line)
        return souk_diag_say(diag, SOUK_EINVAL,
                             "mqtt.password_file %s is empty: write the password into its first "
                             "line",
                             path);
    password[strcspn(password, "\r\n")] = '\0';
    return SOUK_OK;
}

souk_err app_mqtt_start(const app_shop *shop, souk_log *log, souk_diag *diag)
{
    const app_settings *settings = &shop->settings;
    const char *path = app_setting_text(settings, APP_MQTT_PASSWORD_FILE);
    char password[PASSWORD_BYTES] = "";
    if (!app_setting_text(settings, APP_MQTT_BROKER)[0])
        return SOUK_OK;
    if (path[0])
        SOUK_TRY(read_password(path, password, diag));
    souk_mqtt_options options = {
        .broker = app_setting_text(settings, APP_MQTT_BROKER),
        .ca_file = app_setting_text(settings, APP_MQTT_CA_FILE),
        .user = app_setting_text(settings, APP_MQTT_USER),
        .password = password,
        .client_id = app_setting_text(settings, APP_MQTT_CLIENT_ID),
        .subscriptions = app_setting_text(settings, APP_MQTT_SUBSCRIPTIONS),
        .log = log,
    };
    return souk_mqtt_start(souk_api_state(shop->api, &souk_mqtt_service), &options, diag);
}
