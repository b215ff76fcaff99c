import { containerError } from "./container-error.ts";
import type { Engine } from "./engine.ts";

/** Of the major version that the embedded server has. */
const USUAL_TAG = "18";

/** Names the image that `container` and `auto` use. */
const IMAGE_VARIABLE = "HEDDLE_POSTGRES_IMAGE";

/**
 * The image that is meant: by a tag of the official image (`17`, `17-alpine`), or by a whole name
 * (`postgis/postgis:17-3.5`, `postgres:17`); without either, by HEDDLE_POSTGRES_IMAGE.
 */
export function imageNamed(given: string, usual = process.env[IMAGE_VARIABLE]): string {
  if (given === "") return usual || `postgres:${USUAL_TAG}`;
  return /[:/]/.test(given) ? given : `postgres:${given}`;
}

/** The id of an image, if it is here. */
export async function imageId({ api }: Engine, image: string): Promise<string | undefined> {
  try {
    return (await api.getImage(image).inspect()).Id;
  } catch (error) {
    if ((error as { statusCode?: number }).statusCode === 404) return undefined;
    throw error;
  }
}

/** Downloads an image that is not here yet. Returns its id. */
export async function provideImage(engine: Engine, image: string): Promise<string> {
  try {
    const here = await imageId(engine, image);
    if (here !== undefined) return here;
    await engine.images.pull(engine.library.ImageName.fromString(image));
    const pulled = await imageId(engine, image);
    if (pulled !== undefined) return pulled;
    throw new Error("no such image");
  } catch (cause) {
    throw containerError(cause, image, "");
  }
}
