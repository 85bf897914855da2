// Does in Chromium what the tests say: one command a line on standard input, as JSON, one
// answer a line on standard output. Windows are phones, each with cookies of its own.
import { createInterface } from "node:readline";
import { readFile } from "node:fs/promises";
import { createRequire } from "node:module";
import { join } from "node:path";
import { chromium } from "playwright-core";

const [executablePath, pictures] = process.argv.slice(2);
const axe = await readFile(createRequire(import.meta.url).resolve("axe-core/axe.min.js"), "utf8");
const args = ["--no-sandbox", "--disable-gpu", "--disable-quic", "--no-first-run", "--disable-background-networking",
  "--disable-component-update", "--disable-sync"];
const browser = await chromium.launch({ executablePath, args, headless: true });
// Links show what is behind them to nobody who says that nobody looks.
const userAgent = `Mozilla/5.0 (Linux; Android 14; Pixel 8) AppleWebKit/537.36 (KHTML, like Gecko) Chrome/${browser.version()} Mobile Safari/537.36`;
const phone = { userAgent, viewport: { width: 390, height: 844 }, deviceScaleFactor: 2, isMobile: true, hasTouch: true };
const windows = new Map();

const commands = {
  async window({ name, locale, script, dark }) {
    const context = await browser.newContext({ ...phone, locale, javaScriptEnabled: script, colorScheme: dark ? "dark" : "light" });
    const page = await context.newPage();
    page.setDefaultTimeout(20_000);
    const trouble = [];
    // Chromium also complains of the page itself where that is a refusal.
    const ofPage = (said) => said.location().url === page.url() && said.text().startsWith("Failed to load resource");
    page.on("console", (said) => said.type() === "error" && !ofPage(said) && trouble.push(said.text()));
    page.on("pageerror", (error) => trouble.push(String(error)));
    page.on("request", (request) => {
      if (new URL(request.url()).hostname.split(".").at(-1) !== "localhost" && !request.url().startsWith("data:")) trouble.push(`asks ${request.url()}`);
    });
    windows.set(name, { page, trouble });
  },
  async open({ url, page }) {
    const answer = await page.goto(url);
    return { status: answer.status(), url: page.url(), bytes: (await answer.body()).length };
  },
  async cookie({ url, cookie, value, page }) {
    await page.context().addCookies([{ url, name: cookie, value, httpOnly: true, sameSite: "Lax" }]);
  },
  async unfold({ page }) {
    await page.evaluate(() => document.querySelectorAll("details").forEach((one) => { one.open = true; }));
  },
  async text({ selector, page }) {
    return (await page.locator(selector).first().innerText()).replace(/[\u202f\u00a0]/g, " ");
  },
  async count({ selector, page }) {
    return page.locator(selector).count();
  },
  async wait({ selector, page }) {
    await page.locator(selector).first().waitFor();
  },
  async click({ selector, page }) {
    await page.locator(selector).first().click();
    await page.waitForLoadState();
  },
  async fill({ selector, value, page }) {
    await page.locator(selector).first().fill(value);
  },
  async focused({ page }) {
    return page.evaluate(() => document.activeElement.id);
  },
  async picture({ file, page }) {
    await page.screenshot({ path: join(pictures, `${file}.png`), fullPage: true });
  },
  async widest({ page }) {
    return page.evaluate(() => document.documentElement.scrollWidth - document.documentElement.clientWidth);
  },
  async violations({ page }) {
    await page.evaluate(axe);
    const found = await page.evaluate(() => window.axe.run(document, { runOnly: ["wcag2a", "wcag2aa", "wcag21a", "wcag21aa", "wcag22aa", "best-practice"] }));
    return found.violations.map((one) => `${one.id}: ${one.help}: ${one.nodes.map((node) => node.html + " " + node.failureSummary).join(" | ")}`);
  },
  async trouble({ trouble }) {
    return trouble.splice(0);
  },
};

for await (const line of createInterface({ input: process.stdin })) {
  const { command, window, ...more } = JSON.parse(line);
  try {
    const answer = await commands[command]({ ...windows.get(window), ...more });
    console.log(JSON.stringify({ answer: answer ?? null }));
  } catch (error) {
    console.log(JSON.stringify({ error: String(error) }));
  }
}
await browser.close();
