"""The guide's stack: ijson reads record by record, orjson writes each again, confluent-kafka publishes.

KAFKA_BROKERS=… guide.py ARCHIVE TOPIC
"""

import os
import sys
import zipfile

import ijson.backends.yajl2_c as ijson
import orjson
from confluent_kafka import Producer

archive, topic = sys.argv[1:]
failures = []
producer = Producer(
    {
        "bootstrap.servers": os.environ["KAFKA_BROKERS"],
        "acks": "all",
        "enable.idempotence": True,
        "compression.type": "zstd",
        "linger.ms": 50,
        "batch.size": 1024 * 1024,
        "message.max.bytes": 4 * 1024 * 1024,
        "queue.buffering.max.kbytes": 64 * 1024,
        "partitioner": "murmur2_random",
    }
)


def on_delivery(error, _message):
    if error is not None:
        failures.append(error)


def publish(key, value):
    while True:
        try:
            producer.produce(topic, key=key, value=value, on_delivery=on_delivery)
            producer.poll(0)
            return
        except BufferError:
            # The queue is full: wait until something of it is acknowledged.
            producer.poll(0.1)


with zipfile.ZipFile(archive) as container, container.open(container.namelist()[0]) as entry:
    # use_float: without it every number with a point becomes a Decimal, which orjson cannot write.
    for record in ijson.items(entry, "item", buf_size=256 * 1024, use_float=True):
        publish(record["conversationId"], orjson.dumps(record))

left = producer.flush()
if failures or left:
    sys.exit(f"{left} records are not acknowledged: {failures[:1]}")
