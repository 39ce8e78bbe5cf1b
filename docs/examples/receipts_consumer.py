"""Keep the last answer about each recipient: arguments HOST PORT ANCHORS USER TOPIC DATABASE."""

import json
import os
import sqlite3
import sys

import paho.mqtt.client as mqtt

LAST = {"delivered", "failed", "expired", "refused", "unconfirmed", "corrected"}
host, port, anchors, user, topic, database = sys.argv[1:]
store = sqlite3.connect(database)
store.execute("CREATE TABLE IF NOT EXISTS seen (id PRIMARY KEY)")
store.execute("CREATE TABLE IF NOT EXISTS answer (mail, whom, kind, UNIQUE (mail, whom))")
client = mqtt.Client(mqtt.CallbackAPIVersion.VERSION2, user, protocol=mqtt.MQTTv5, manual_ack=True)
client.username_pw_set(user, os.environ["MQTT_PASSWORD"])
client.tls_set(anchors)
client.on_connect = lambda *_: client.subscribe(topic, qos=1)
client.on_subscribe = lambda *_: print("listening", flush=True)


@client.message_callback()
def heard(_client, _userdata, message):
    event = json.loads(message.payload)
    kind, told = event["type"].rpartition(".")[2], event["data"]
    with store:  # kept first, acknowledged then: what a crash cuts off comes again, and counts once
        new = store.execute("INSERT OR IGNORE INTO seen VALUES (?)", [event["id"]]).rowcount
        if new and kind in LAST:
            row = event.get("subject", told["message"]), told.get("recipient", ""), kind
            store.execute("INSERT OR REPLACE INTO answer VALUES (?, ?, ?)", row)
    print(kind, told.get("recipient", ""), flush=True)
    client.ack(message.mid, message.qos)


lasting = mqtt.Properties(mqtt.PacketTypes.CONNECT)
lasting.SessionExpiryInterval = 7 * 86400  # what comes while we are away is kept so long
client.connect(host, int(port), clean_start=False, properties=lasting)
client.loop_forever()
