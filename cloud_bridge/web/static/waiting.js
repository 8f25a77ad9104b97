// While the charger's answer is on its way: look again. Without it, reloading the page does the same.
setTimeout(() => location.reload(), 1500);
