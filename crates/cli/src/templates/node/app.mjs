// Greets `event.name`.
export async function handler(event) {
  if (!event.name) {
    throw new TypeError("name must not be empty");
  }
  console.log(`greeting ${event.name}`);
  return { message: `${process.env.GREETING}, ${event.name}` };
}
