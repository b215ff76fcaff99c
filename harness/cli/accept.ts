import { readFile } from "node:fs/promises";
import path from "node:path";
import { type Command, InvalidArgumentError } from "commander";
import { HarnessError } from "../core/error.ts";
import { formatSchedule } from "../core/schedule.ts";
import { isInForce } from "../explorer/accepted.ts";
import { decodeCounterexample } from "../explorer/counterexample-file.ts";
import { RegressionFolder } from "../explorer/regressions.ts";
import { decodeToken, type ReplayToken } from "../explorer/token.ts";
import { locateService } from "../loading/load-service.ts";
import { EXIT } from "./exit.ts";
import { SERVICE } from "./options.ts";
import { print } from "./output.ts";

interface Options {
  readonly until: string;
  readonly because: string;
  readonly service?: string;
}

/** `heddle accept`: a known violation fails no run until a date. */
export function addAccept(command: Command, finished: (exitCode: number) => void): void {
  command
    .argument("<file|token>", "a stored regression, a replay file, or a token (h2.…)")
    .requiredOption("--until <date>", "the last day, such as 2030-01-31, in UTC", day)
    .requiredOption("--because <text>", "why, for those that read the report")
    .option("--service <name>", `${SERVICE}; needed if the name in the counterexample is not found`)
    .action(async (source: string, options: Options) => {
      finished(await runCommand(source, options));
    });
}

function day(text: string): string {
  const isDay = /^\d{4}-\d\d-\d\d$/.test(text) && !Number.isNaN(Date.parse(text));
  if (isDay && isInForce({ until: text, because: "" }, new Date())) return text;
  throw new InvalidArgumentError("Give a day that is not over, such as 2030-01-31.");
}

type Accepted = Pick<ReplayToken, "service" | "scenario" | "schedule">;

async function runCommand(source: string, { until, because, service }: Options): Promise<number> {
  const text = /^h\d+\./.test(source) ? undefined : await readSource(source);
  const isStored = text !== undefined && JSON.parse(text)?.heddle === "regression";
  const known: Accepted =
    text === undefined
      ? decodeToken(source)
      : isStored
        ? (JSON.parse(text) as Accepted)
        : decodeCounterexample(text);
  const file = locateService(service ?? known.service);
  const folder = RegressionFolder.of(file, known.service);
  const found = (await folder.read(known.service)).find((one) =>
    isStored
      ? path.resolve(one.file) === path.resolve(source)
      : JSON.stringify(one.regression.scenario) === JSON.stringify(known.scenario) &&
        formatSchedule(one.regression.schedule) === formatSchedule(known.schedule),
  );
  if (found === undefined) {
    throw new HarnessError(
      "USAGE",
      `no regression in ${path.relative(process.cwd(), folder.path)} has this execution: run heddle verify again, and accept what it stores there`,
    );
  }
  await folder.accept(found, { until, because });
  const { violation } = found.regression;
  print(
    `${path.relative(process.cwd(), found.file)}: ${violation.name} fails no run until ${until}: keep the file in version control\n`,
  );
  return EXIT.pass;
}

async function readSource(file: string): Promise<string> {
  try {
    const text = await readFile(file, "utf8");
    JSON.parse(text);
    return text;
  } catch (cause) {
    throw new HarnessError(
      "USAGE",
      `${file} cannot be read: give a regression, a replay file or a token`,
      {
        cause,
      },
    );
  }
}
