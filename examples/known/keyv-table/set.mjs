/** Stores a value, as a process of an application does that starts: `set.mjs NAMESPACE`. */
import KeyvPostgres from "@keyv/postgres";
import Keyv from "keyv";

const [namespace] = process.argv.slice(2);
const store = new KeyvPostgres({ uri: process.env.DATABASE_URL });
const keyv = new Keyv({ store, namespace });
const failed = new Promise((_, reject) => {
  for (const emitter of [store, keyv]) emitter.on("error", reject);
});
try {
  await Promise.race([keyv.set("language", "en"), failed]);
} catch (error) {
  console.error(error.message);
  process.exitCode = 1;
}
await store.disconnect();
