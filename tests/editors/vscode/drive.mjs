// Presses keys and clicks in the workbench for a test that is written in Python: a command per line of standard input,
// as a JSON array of a name and arguments; an answer per line of standard output. It knows the workbench's elements and
// nothing of what is tested.
// usage: node drive.mjs PLAYWRIGHT ADDRESS
import { createInterface } from "node:readline";

const [, , playwright, address] = process.argv;
const { chromium } = await import(`${playwright}/node_modules/playwright-core/index.mjs`);
const browser = await chromium.launch({
  executablePath: process.env.CHROMIUM ?? "/usr/bin/chromium",
  args: [
    "--no-sandbox",
    "--disable-gpu",
    "--disable-dev-shm-usage",
    "--force-color-profile=srgb",
    "--host-resolver-rules=MAP * ~NOTFOUND, EXCLUDE 127.0.0.1", // nothing leaves this machine
  ],
});
const context = await browser.newContext({ viewport: { width: 1280, height: 800 } });
const page = await context.newPage();

const find = (selector, text) => (text ? page.locator(selector, { hasText: text }) : page.locator(selector)).first();

const commands = {
  async open() {
    await page.goto(address, { waitUntil: "domcontentloaded" });
    await page.waitForSelector(".monaco-workbench", { timeout: 180_000 });
    await page.waitForSelector(".statusbar-item", { timeout: 180_000 });
  },
  press: (...keys) => keys.reduce((before, key) => before.then(() => page.keyboard.press(key)), Promise.resolve()),
  // So many characters a second, whatever a key press takes; returns how many it really were.
  async type(text, rate) {
    const began = performance.now();
    for (const [at, character] of [...text].entries()) {
      await page.waitForTimeout(Math.max(0, began + (at * 1000) / rate - performance.now()));
      await page.keyboard.press(character === " " ? "Space" : character);
    }
    return ([...text].length * 1000) / (performance.now() - began);
  },
  // What an input method or a paste does: the text at once, with no key of its own, so that nothing is closed or
  // indented by the editor.
  insert: (text) => page.keyboard.insertText(text),
  wait: (selector, text, seconds) => find(selector, text).waitFor({ timeout: seconds * 1000 }),
  gone: (selector, text, seconds) => find(selector, text).waitFor({ state: "hidden", timeout: seconds * 1000 }),
  click: (selector, text) => find(selector, text).click({ timeout: 30_000 }),
  hover: (selector, text) => find(selector, text).hover({ timeout: 30_000 }),
  texts: (selector) => page.locator(selector).allInnerTexts(),
  count: (selector) => page.locator(selector).count(),
  shot: (path) => page.screenshot({ path }),
  // The text of a webview: a frame in a frame, which comes and goes with its tab.
  async webview(selector) {
    const found = [];
    for (const frame of page.frames()) {
      const texts = await frame.locator(selector).allInnerTexts().catch(() => []);
      if (frame !== page.mainFrame()) found.push(...texts);
    }
    return found;
  },
  // Whether the browser has written a text down for after a reload, in any of the page's databases.
  remembers: (text) =>
    page.evaluate(async (wanted) => {
      const done = (request) =>
        new Promise((resolve, reject) => {
          request.onsuccess = () => resolve(request.result);
          request.onerror = () => reject(request.error);
        });
      for (const { name } of await indexedDB.databases()) {
        const database = await done(indexedDB.open(name));
        try {
          for (const store of database.objectStoreNames) {
            const values = await done(database.transaction(store).objectStore(store).getAll());
            if (values.some((value) => typeof value === "string" && value.includes(wanted))) return true;
          }
        } finally {
          database.close();
        }
      }
      return false;
    }, text),
  // What the webview's document lets through: each script is run there by the test, not by the extension.
  async attempt(selector, script) {
    for (const frame of page.frames()) {
      if (frame === page.mainFrame() || !(await frame.locator(selector).count().catch(() => 0))) continue;
      return frame.evaluate(script);
    }
    throw new Error(`no webview holds ${selector}`);
  },
};

for await (const line of createInterface({ input: process.stdin })) {
  const [name, ...args] = JSON.parse(line);
  let answer;
  try {
    answer = { value: (await commands[name](...args)) ?? null };
  } catch (error) {
    answer = { error: String(error.message ?? error) };
  }
  process.stdout.write(`${JSON.stringify(answer)}\n`);
}
await browser.close();
