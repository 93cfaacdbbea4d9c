// The sample function, in JavaScript.
export const handler = async (event, context) => ({
  message: `${process.env.GREETING}, ${event.name}`,
  version: context.functionVersion,
});
